/// How the files of a capture are called, in a folder or in a tar.
public enum CaptureFiles {
  /// Names of the trace, in order of preference.
  public static let traceNames = [
    "trace.txt.zst", "trace.txt", "trace.txt.gz", "trace", "trace.dat", "trace.dat.zst",
    "trace.dat.gz",
  ]
}
