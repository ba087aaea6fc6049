package dev.guardedby.circuitbreaker;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** A ledger that another one stands behind; a test says what is different. */
abstract class ForwardingLedger implements Ledger {
    final MemoryLedger memory = new MemoryLedger();

    @Override
    public CompletionStage<Answer> reserve(Hold hold) {
        return memory.reserve(hold);
    }

    @Override
    public CompletionStage<Answer> extend(Extension extension) {
        return memory.extend(extension);
    }

    @Override
    public CompletionStage<List<Balance>> settle(Settlement settlement) {
        return memory.settle(settlement);
    }

    @Override
    public CompletionStage<Balance> adjust(Adjustment adjustment) {
        return memory.adjust(adjustment);
    }

    @Override
    public CompletionStage<Balance> limit(Line line, Moment now) {
        return memory.limit(line, now);
    }

    @Override
    public CompletionStage<List<Balance>> look(List<Line> lines, Moment now) {
        return memory.look(lines, now);
    }
}
