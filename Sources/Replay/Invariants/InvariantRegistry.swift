/// Every invariant, in the order of their ids. Adding one is one new file and one line here.
public enum InvariantRegistry {
  /// The types.
  public static let all: [any Invariant.Type] = [
    AllocationFirst.self,
    ConstructedOnce.self,
    DestroyedOnce.self,
    DestructorBeforeFree.self,
    FreedOnce.self,
    FreedInCallback.self,
    DestructorAfterGracePeriod.self,
    TornDownTogether.self,
    ContentAfterFree.self,
    LockAfterFree.self,
    LockFreedInUse.self,
    PageReusedUnderReader.self,
    LockReusedUnderReader.self,
    CallbackOnce.self,
    CallbackAfterGracePeriod.self,
    BatchTornDownInOrder.self,
    StatisticBalances.self,
    LockBelongsToOneTable.self,
    LeakFree.self,
  ]
}
