import Statistics
import Testing

@Suite("Halves")
struct HalvesTests {
    @Test("rows of one group stay together in halves, and each half has half of the groups")
    func halves() {
        let groups = (0..<60).map { $0 / 4 }
        let halves = Halves(count: 60, groups: groups)
        var random = SeededRandom(seed: 1)
        for _ in 0..<10 {
            let half = halves.draw(&random)
            let (one, other) = (Set(half.rows.map { groups[$0] }), Set(half.others.map { groups[$0] }))
            #expect(one.isDisjoint(with: other) && one.count == 7 && other.count == 8)
            #expect(half.rows.count == 28 && half.others.count == 32)
        }
        #expect(!Halves(count: 60, groups: (0..<60).map { $0 / 10 }).canBeDrawn)
    }
}
