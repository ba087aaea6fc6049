package dev.guardedby.spring;

import dev.guardedby.circuitbreaker.Ledger;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A ledger that does not answer while a test has it away. */
public final class StoreThatGoesAway implements Ledger {
    private final Ledger memory = Ledger.inMemory();
    private volatile boolean away;

    /** Whether it is away from now on. */
    public void away(boolean isAway) {
        away = isAway;
    }

    private <T> CompletionStage<T> answer(Supplier<CompletionStage<T>> asked) {
        return away ? CompletableFuture.failedFuture(new IOException("the store is away")) : asked.get();
    }

    @Override
    public CompletionStage<Answer> reserve(Hold hold) {
        return answer(() -> memory.reserve(hold));
    }

    @Override
    public CompletionStage<Answer> extend(Extension extension) {
        return answer(() -> memory.extend(extension));
    }

    @Override
    public CompletionStage<List<Balance>> settle(Settlement settlement) {
        return answer(() -> memory.settle(settlement));
    }

    @Override
    public CompletionStage<Balance> adjust(Adjustment adjustment) {
        return answer(() -> memory.adjust(adjustment));
    }

    @Override
    public CompletionStage<Balance> limit(Line line, Moment now) {
        return answer(() -> memory.limit(line, now));
    }

    @Override
    public CompletionStage<List<Balance>> look(List<Line> lines, Moment now) {
        return answer(() -> memory.look(lines, now));
    }
}
