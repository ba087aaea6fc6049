package dev.guardedby.circuitbreaker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A ledger as far away as a test wants: reserves are answered when the test says so, and what it throws is thrown. */
final class LedgerByHand extends ForwardingLedger {
    final List<Runnable> waiting = new ArrayList<>();
    boolean away;
    /** Whether extensions that wait fail in the end. */
    boolean failing;

    int reserves;
    int settlements;

    @Nullable RuntimeException broken;

    @Nullable Runnable meanwhile;

    void answer() {
        List<Runnable> all = List.copyOf(waiting);
        waiting.clear();
        all.forEach(Runnable::run);
    }

    @Override
    public CompletionStage<Answer> reserve(Hold hold) {
        reserves++;
        RuntimeException thrown = broken;
        if (thrown != null) {
            throw thrown;
        }
        Runnable happening = meanwhile;
        if (happening != null) {
            meanwhile = null;
            CompletionStage<Answer> answer = memory.reserve(hold);
            happening.run();
            return answer;
        }
        if (!away) {
            return memory.reserve(hold);
        }
        CompletableFuture<Answer> later = new CompletableFuture<>();
        waiting.add(
                () -> later.complete(memory.reserve(hold).toCompletableFuture().join()));
        return later;
    }

    @Override
    public CompletionStage<Answer> extend(Extension extension) {
        RuntimeException thrown = broken;
        if (thrown != null) {
            throw thrown;
        }
        if (!away) {
            return memory.extend(extension);
        }
        CompletableFuture<Answer> later = new CompletableFuture<>();
        waiting.add(() -> {
            if (failing) {
                later.completeExceptionally(new IllegalStateException("store is away"));
            } else {
                later.complete(memory.extend(extension).toCompletableFuture().join());
            }
        });
        return later;
    }

    @Override
    public CompletionStage<List<Balance>> settle(Settlement settlement) {
        settlements++;
        RuntimeException thrown = broken;
        if (thrown != null) {
            throw thrown;
        }
        return memory.settle(settlement);
    }

    @Override
    public CompletionStage<List<Balance>> look(List<Line> lines, Moment now) {
        RuntimeException thrown = broken;
        return thrown == null ? memory.look(lines, now) : CompletableFuture.failedFuture(thrown);
    }
}
