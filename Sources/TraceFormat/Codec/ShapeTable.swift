/// The shapes of a block while it is being encoded, numbered in the order they first occur.
final class ShapeTable {
  private(set) var count = 0
  /// Constants of the shapes, in the order a reader meets them.
  private(set) var constants: [UInt64] = []
  let shapes: Lane<EventShape>
  /// The shapes as the kernels use them; behind the last there is room for, one of no event.
  let steps: Lane<ShapeStep>
  private var index = Lane<UInt32>(256, repeating: 0)

  /// Shapes there is room for.
  var capacity: Int { shapes.count }

  /// Makes a table with room for `capacity` shapes.
  init(capacity: Int) {
    shapes = Lane(room: capacity)
    steps = Lane(room: capacity + 1)
    steps[capacity] = .none
  }

  deinit {
    shapes.deallocate()
    steps.deallocate()
    index.deallocate()
  }

  func removeAll() {
    count = 0
    constants.removeAll(keepingCapacity: true)
    index.zero(upTo: index.count)
  }

  /// The number of a shape, which may be a new one.
  func number(_ shape: EventShape) -> Int {
    let place = find(shape)
    if index[place] != 0 { return Int(index[place]) - 1 }
    let number = count
    shapes[number] = shape
    steps[number] = try! ShapeStep(shape)
    for (field, constant) in [
      (shape.object, shape.constants.object), (shape.arg0, shape.constants.arg0),
      (shape.arg1, shape.constants.arg1),
    ] where field.way == EventShape.Way.constant {
      constants.append(constant)
    }
    count += 1
    index[place] = UInt32(count)
    if count * 2 > index.count { grow() }
    return number
  }

  private func find(_ shape: EventShape) -> Int {
    var hash = shape.head &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ (hash &>> 29) ^ shape.tail) &* 0xd6e8_feb8_6659_fd93
    hash = (hash ^ (hash &>> 32) ^ shape.constants.arg0 &<< 8)
    hash = (hash ^ shape.constants.arg1 &<< 24 ^ shape.constants.object) &* 0xbf58_476d_1ce4_e5b9
    let mask = index.count - 1
    var place = Int(truncatingIfNeeded: hash ^ (hash &>> 31)) & mask
    while index[place] != 0 && shapes[Int(index[place]) - 1] != shape {
      place = (place + 1) & mask
    }
    return place
  }

  private func grow() {
    let length = index.count * 4
    index.deallocate()
    index = Lane(length, repeating: 0)
    for number in 0..<count {
      index[find(shapes[number])] = UInt32(number + 1)
    }
  }
}
