import Foundation
import Testing
import UpkeepTestKit

/// The processes that tests start.
@Suite(.timeLimit(.minutes(2))) struct ChildProcessTests {
  /// A pipe of somebody else's that a process inherits has no end as long as that runs.
  @Test func inheritsNothing() async throws {
    let pipe = Pipe()
    let listing = try ChildProcess(
      "python3", ["-c", "import os; print(*sorted(map(int, os.listdir('/proc/self/fd'))))"])
    // The fourth is that of the listing itself.
    #expect(await listing.output.text() == "0 1 2 3\n")
    #expect(await listing.status() == 0)
    try pipe.fileHandleForWriting.close()
  }

  @Test func isKilledWhereItTakesTooLong() async throws {
    let slow = try ChildProcess("tail", ["-f", "/dev/null"], patience: .milliseconds(50))
    #expect(await slow.status() == 128 + SIGKILL)
    #expect(slow.signal(SIGTERM) == false)
  }

  @Test func saysWithWhichStatusItEnded() async throws {
    #expect(try await ChildProcess("sh", ["-c", "exit 7"]).status() == 7)
    #expect(try await ChildProcess("sh", ["-c", "kill -TERM $$"]).status() == 128 + SIGTERM)
    let waiting = try ChildProcess("cat", holdsInput: true)
    #expect(waiting.wait(atMost: .milliseconds(20)) == nil)
    try waiting.send("heard\n")
    waiting.closeInput()
    #expect(await waiting.output.text() == "heard\n")
    #expect(waiting.wait() == 0)
    #expect(throws: ChildProcess.Failure.self) { try ChildProcess("/no/such/program") }
  }

  /// A character may come in two pieces.
  @Test func readsTextsAsAWhole() async throws {
    // Each byte waits until the one before has been read.
    let program = """
      import array, fcntl, sys, termios
      waiting = array.array("i", [0])
      for byte in "µ→\u{1F642}\\n".encode() * 40:
          sys.stdout.buffer.write(bytes([byte]))
          sys.stdout.flush()
          while fcntl.ioctl(1, termios.FIONREAD, waiting) or waiting[0]: pass
      """
    let text = String(repeating: "µ→\u{1F642}\n", count: 40)
    #expect(try await ChildProcess("python3", ["-c", program]).output.text() == text)
    var lines: [String] = []
    for await line in try ChildProcess("python3", ["-c", program]).output.lines() { lines.append(line) }
    #expect(lines == Array(repeating: "µ→\u{1F642}", count: 40))
  }

  @Test func startsInAFolderWithAnEnvironmentOfItsOwn() async throws {
    let place = try Workplace()
    let child = try ChildProcess(
      "/bin/sh", ["-c", "echo $PLACE; pwd; echo no >&2"], in: place.folder.path, environment: ["PLACE": "here"],
      errors: .withOutput)
    #expect(await child.output.text() == "here\n\(place.folder.resolvingSymlinksInPath().path)\nno\n")
  }
}
