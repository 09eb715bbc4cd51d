import Testing

@testable import UpkeepPurge

/// Which rows go and in which order, on plain numbers.
struct RowGraphTests {
  private func graph(_ count: Int, roots: Int, _ links: [(Int32, Int32, RowGraph.Link)]) -> RowGraph {
    var graph = RowGraph(count: count, roots: roots)
    for (child, parent, link) in links { graph.add(from: child, to: parent, link) }
    return graph
  }

  @Test func putsRowsBeforeThoseThatTheyReferTo() {
    let graph = graph(4, roots: 1, [(1, 0, .takes), (2, 1, .takes), (3, 1, .takes), (3, 2, .follows)])
    let verdict = graph.verdict(held: [], excepted: [])
    #expect(verdict.places == [4, 3, 2, 1])
    #expect(verdict.takers == [0, 0, 1, 1])
    #expect(verdict.held == 0 && verdict.excepted == 0)
  }

  @Test func givesARingOnePlaceBehindAllThatReferToIt() {
    let graph = graph(5, roots: 1, [(1, 0, .takes), (2, 1, .takes), (0, 2, .holds), (3, 2, .takes), (4, 3, .takes)])
    #expect(graph.verdict(held: [], excepted: []).places == [3, 3, 3, 2, 1])
  }

  /// A row that the rule selects goes by itself, though others of its ring would take it along: else nothing would be
  /// left in the ring that is looked at again before it goes.
  @Test func keepsTheRootOfARing() {
    let verdict = graph(3, roots: 1, [(1, 0, .takes), (2, 1, .takes), (0, 2, .takes)]).verdict(held: [], excepted: [])
    #expect(verdict.takers == [0, 0, 1])
    #expect(verdict.places == [1, 1, 1])
  }

  @Test func keepsWhatAKeptRowWouldGoWith() {
    let graph = graph(4, roots: 2, [(2, 0, .takes), (3, 2, .takes)])
    let verdict = graph.verdict(held: [3], excepted: [])
    #expect(verdict.places == [0, 1, 0, 0])
    #expect(verdict.held == 1)
  }

  @Test func keepsWhatOnlyAKeptRowWouldTakeAlong() {
    // Row 2 would go with row 0, which stays, and with row 1, which goes; row 3 with row 0 alone.
    let graph = graph(4, roots: 2, [(2, 0, .takes), (2, 1, .takes), (3, 0, .takes)])
    let verdict = graph.verdict(held: [0], excepted: [])
    #expect(verdict.places == [0, 2, 1, 0])
    #expect(verdict.takers[2] == 1)
  }

  @Test func keepsWhatAKeptRowHolds() {
    // Row 2 stays with row 0 and then holds row 1.
    let graph = graph(3, roots: 2, [(2, 0, .takes), (2, 1, .holds)])
    #expect(graph.verdict(held: [0], excepted: []).places == [0, 0, 0])
    #expect(graph.verdict(held: [], excepted: []).places == [2, 3, 1])
    #expect(graph.verdict(held: [], excepted: [0]).held == 1)
  }

  @Test func letsARowStayWithoutWhatItOnlyLoses() {
    let graph = graph(2, roots: 2, [(1, 0, .follows)])
    #expect(graph.verdict(held: [1], excepted: []).places == [1, 0])
  }

  @Test func countsARowThatIsHeldAndExceptedAsHeld() {
    let graph = graph(4, roots: 3, [(3, 0, .takes), (3, 1, .takes)])
    let verdict = graph.verdict(held: [0], excepted: [3, 3, 0])
    #expect(verdict.held == 1)
    #expect(verdict.excepted == 1)
    #expect(verdict.places == [0, 0, 1, 0])
  }

  @Test func countsARowThatAnExceptedOneRefersToAsHeld() {
    let verdict = graph(2, roots: 2, [(1, 0, .holds)]).verdict(held: [], excepted: [1])
    #expect(verdict.excepted == 1)
    #expect(verdict.held == 1)
    #expect(verdict.places == [0, 0])
  }

  @Test func standsAChainOfAnyLength() {
    let count = Int32(200_000)
    var graph = RowGraph(count: Int(count), roots: 1)
    for row in 1..<count { graph.add(from: row, to: row - 1, .takes) }
    let verdict = graph.verdict(held: [], excepted: [])
    #expect(verdict.places.first == count)
    #expect(verdict.places.last == 1)
    #expect(graph.verdict(held: [count - 1], excepted: []).places.allSatisfy { $0 == 0 })
  }
}
