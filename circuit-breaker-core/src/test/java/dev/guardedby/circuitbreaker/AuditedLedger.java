package dev.guardedby.circuitbreaker;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * The ledger in memory, and an auditor who writes down what is wrong with what it is asked and what it answers. Every sixteenth
 * hold is answered later, by the thread of the ledger.
 */
final class AuditedLedger extends ForwardingLedger implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger answeredLater = new AtomicInteger();
    /** The last revision of what was settled of each hold that was made; 0 before. */
    private final Map<Hold, AtomicLong> revisions = new ConcurrentHashMap<>();

    private final LongAdder made = new LongAdder();
    private final LongAdder settled = new LongAdder();
    private final LongAdder corrected = new LongAdder();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    @Override
    public CompletionStage<Answer> reserve(Hold hold) {
        if (asked.incrementAndGet() % 16 != 0) {
            return CompletableFuture.completedFuture(answer(hold));
        }
        CompletableFuture<Answer> later = new CompletableFuture<>();
        answeredLater.incrementAndGet();
        thread.execute(() -> {
            try {
                later.complete(answer(hold));
            } finally {
                answeredLater.decrementAndGet();
            }
        });
        return later;
    }

    private Answer answer(Hold hold) {
        if (revisions.put(hold, new AtomicLong()) != null) {
            wrong.add("reserved twice: " + hold);
        }
        Answer answer = memory.reserve(hold).toCompletableFuture().join();
        if (answer.kind() == null || hold.isForced()) {
            made.increment();
        } else {
            revisions.remove(hold);
        }
        auditBalances(hold, answer.balances());
        return answer;
    }

    @Override
    public CompletionStage<Answer> extend(Extension extension) {
        return memory.extend(extension).thenApply(answer -> {
            auditBalances(extension.hold(), answer.balances());
            return answer;
        });
    }

    @Override
    public CompletionStage<List<Balance>> settle(Settlement settlement) {
        AtomicLong last = revisions.get(settlement.hold());
        long revision = settlement.revision();
        if (last == null || !last.compareAndSet(revision - 1, revision)) {
            wrong.add("out of turn after " + last + ": " + settlement);
        }
        (revision == 1 ? settled : corrected).increment();
        return memory.settle(settlement).thenApply(balances -> {
            auditBalances(settlement.hold(), balances);
            return balances;
        });
    }

    private void auditBalances(Hold hold, List<Balance> balances) {
        for (Balance balance : balances) {
            if (!hold.isForced() && balance.spent() + balance.held() > balance.limit()) {
                wrong.add("above the limit: " + balance);
            }
        }
    }

    /** Waits for the answers that come later, when nobody asks any more. */
    void finish() {
        while (answeredLater.get() > 0) {
            LockSupport.parkNanos(10_000);
        }
    }

    /** What was wrong, and forgets the holds that are settled: how many others there are. */
    List<String> audit(long unsettled) {
        revisions.values().removeIf(last -> last.get() > 0);
        List<String> found = new ArrayList<>(wrong);
        if (revisions.size() != unsettled || made.sum() != settled.sum() + unsettled) {
            found.add(revisions.size() + " of " + this + " are not settled, and " + unsettled + " should not be");
        }
        return found;
    }

    long corrections() {
        return corrected.sum();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    @Override
    public String toString() {
        return made + " holds, " + settled + " settled, " + corrected + " corrections";
    }
}
