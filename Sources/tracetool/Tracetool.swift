import ArgumentParser

@main
struct Tracetool: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tracetool")
}
