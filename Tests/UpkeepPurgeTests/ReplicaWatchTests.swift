import Testing
import UpkeepDatabase
import UpkeepCore

@testable import UpkeepPurge

/// How far replicas are behind.
struct ReplicaWatchTests {
  private func look(_ written: Int64, _ replayed: Int64?, own: Duration? = nil) -> ReplicaWatch.Look {
    ReplicaWatch.Look(written: written, replayed: replayed, ownLag: own, hidden: 0)
  }

  @Test func aReplicaIsAsFarBehindAsTheOldestNoteThatItHasNotReached() {
    var watch = ReplicaWatch()
    #expect(watch.lag(look(100, 100), at: .seconds(1)) == .zero)
    #expect(watch.lag(look(200, 100), at: .seconds(2)) == .zero)
    #expect(watch.lag(look(300, 100), at: .seconds(3)) == .seconds(1))
    #expect(watch.lag(look(300, 199), at: .seconds(7)) == .seconds(5))
    #expect(watch.lag(look(400, 200), at: .seconds(8)) == .seconds(5))
    #expect(watch.lag(look(400, 400, own: .seconds(9)), at: .seconds(9)) == .zero)
  }

  @Test func theServersOwnWordCountsWhereItIsWorse() {
    var watch = ReplicaWatch()
    #expect(watch.lag(look(100, 50, own: .seconds(40)), at: .zero) == .seconds(40))
  }

  @Test func whereNothingReplaysNobodyIsBehind() {
    var watch = ReplicaWatch()
    #expect(watch.lag(look(100, 50), at: .zero) == .zero)
    #expect(watch.lag(look(200, nil), at: .seconds(5)) == .zero)
    #expect(watch.lag(look(200, 100), at: .seconds(6)) == .zero)
  }

  @Test func looksOnceASecondAndOnlyWhereThereIsALimit() {
    var watch = ServerWatch(ServerLimits(deadRows: 1))
    let moments: [Duration] = [.zero, .milliseconds(999), .seconds(1), .milliseconds(1999)]
    #expect(moments.map { watch.isDue(at: $0) } == [true, false, true, false])
    watch.limits.deadRows = nil
    let isDue = watch.isDue(at: .seconds(9))
    #expect(!isDue)
  }
}
