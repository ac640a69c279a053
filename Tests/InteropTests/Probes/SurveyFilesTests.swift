import Foundation
import Testing

@testable import Interop

/// A survey says the same as the tar it was made as, and as the folder of it.
@Suite struct SurveyFilesTests {
  /// A folder with the files of a small machine, and the tar of it that a guest's `tar` makes.
  private func survey(
    _ files: [String: String], extra: [String] = []
  ) throws -> (folder: String, tar: String) {
    let base = NSTemporaryDirectory() + "survey-\(UUID().uuidString)"
    let folder = base + "/survey"
    try FileManager.default.createDirectory(
      atPath: folder + "/deep", withIntermediateDirectories: true)
    for (name, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/bin/tar")
    tar.arguments = ["cf", base + "/survey.tar", "-C", folder, "."] + extra
    try tar.run()
    tar.waitUntilExit()
    return (folder, base + "/survey.tar")
  }

  @Test func folderAndTarSayTheSame() throws {
    let files = [
      "kallsyms": "ffff T call_rcu\n", "config": "CONFIG_KPROBES=y\n", "release": "7.2.13\n",
    ]
    let (folder, tar) = try survey(files)
    defer { try? FileManager.default.removeItem(atPath: folder + "/..") }
    for read in [
      try SurveyFiles(path: folder, isFolder: true), try SurveyFiles(path: tar, isFolder: false),
    ] {
      for name in SurveyFiles.Name.allCases {
        #expect(
          read[name].map { String(decoding: $0.bytes, as: UTF8.self) } == files[name.rawValue])
      }
    }
  }

  @Test func whatIsNoSurveyIsRefused() throws {
    let (folder, tar) = try survey(["notes": "hello"])
    #expect(throws: (any Error).self) { try SurveyFiles(path: folder, isFolder: true) }
    #expect(throws: (any Error).self) { try SurveyFiles(path: tar, isFolder: false) }
    #expect(throws: (any Error).self) {
      try SurveyFiles(path: folder + "/notes", isFolder: false)
    }
    // Files of two machines in one tar: which one is meant cannot be known.
    let two = try survey(["release": "7.2\n", "deep/release": "6.12\n"])
    #expect(throws: (any Error).self) { try SurveyFiles(path: two.tar, isFolder: false) }
  }
}
