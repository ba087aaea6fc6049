package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** One thread of {@link BudgetRaceTest}: random calls of all shapes and ends, and what each of them should have cost. */
final class SpendingThread {
    private static final int MOST = 9;
    private static final CircuitBreaker REFUSING = refusing();

    private static CircuitBreaker refusing() {
        CircuitBreaker refusing = CircuitBreaker.of("refusing");
        refusing.holdOpen();
        return refusing;
    }

    private static CallNotPermittedException refusal() {
        try {
            REFUSING.checkPermitted();
        } catch (CallNotPermittedException refused) {
            return refused;
        }
        throw new AssertionError("not refused");
    }

    /** How a call ends that has a permit. */
    private enum End {
        SUCCESS(true),
        RESULT(true),
        READ_TIMEOUT(true),
        INTERRUPTED(true),
        CANCEL(true),
        DOWN(false),
        IGNORED(false),
        REFUSED_FURTHER_IN(false),
        IGNORE(false),
        CLOSE(false);

        /** Whether it costs what it held if nothing was recorded. */
        private final boolean costsHold;

        End(boolean costsHold) {
            this.costsHold = costsHold;
        }

        void of(Permit permit) {
            switch (this) {
                case SUCCESS -> permit.success();
                case RESULT -> permit.success("answer");
                case READ_TIMEOUT -> permit.failureAsync(new SocketTimeoutException("Read timed out"));
                case INTERRUPTED -> permit.failure(new InterruptedException());
                case CANCEL -> permit.cancel();
                case DOWN -> permit.failure(new IOException("down"));
                case IGNORED -> permit.failure(new IllegalStateException("ignored"));
                case REFUSED_FURTHER_IN -> permit.failure(refusal());
                case IGNORE -> permit.ignore();
                case CLOSE -> permit.close();
            }
        }
    }

    /** A call under way, and what it has said. */
    private record Open(Spender spender, Permit permit, long hold, boolean recorded, long used, int day) {}

    private final SplittableRandom random;
    private final Spender agent;
    private final Spender model;
    private final Spender observed;
    private final Spender manual;
    /** Calls that will end when their holds are lost. */
    private final List<Open> late = new ArrayList<>();

    private int day;

    /** A thread; {@code spenders} are an agent, the model it asks, one that is only observed, and one without permits. */
    SpendingThread(SplittableRandom random, List<Spender> spenders) {
        this.random = random;
        this.agent = spenders.get(0);
        this.model = spenders.get(1);
        this.observed = spenders.get(2);
        this.manual = spenders.get(3);
    }

    /** Ends what is late, then calls so many times. */
    void spend(long calls, int today) throws Exception {
        day = today;
        endLate();
        for (long i = 0; i < calls; i++) {
            call(random.nextInt(2_000));
        }
    }

    void endLate() {
        late.forEach(this::end);
        late.clear();
    }

    /** How much the calls hold that are yet to end: those of a spender, of one day or of all. */
    long held(Spender spender, int ofDay) {
        return late.stream()
                .filter(open -> open.spender == spender && (ofDay < 0 || open.day == ofDay))
                .mapToLong(Open::hold)
                .sum();
    }

    int unsettled(Spender spender) {
        return (int) late.stream().filter(open -> open.spender == spender).count();
    }

    private void call(int kind) throws Exception {
        if (kind == 0) {
            agent.breaker.reset();
        } else if (kind < 20) {
            giveUp(one());
        } else if (kind < 100) {
            withoutPermit();
        } else if (kind < 300) {
            nested();
        } else if (kind < 650) {
            plainly(one());
        } else if (kind < 1_000) {
            async(one());
        } else {
            Spender spender = one();
            long hold = hold(spender);
            Permit permit = permit(spender, asked(spender, hold));
            if (permit != null) {
                begun(spender, permit, hold);
            }
        }
    }

    private Spender one() {
        int chance = random.nextInt(10);
        return chance == 0 ? observed : chance < 4 ? model : agent;
    }

    private long hold(Spender spender) {
        return random.nextInt(4) == 0 ? spender.estimate : 1 + random.nextInt(MOST);
    }

    /** What to ask for to hold so much. */
    private static Cost asked(Spender spender, long hold) {
        return hold == spender.estimate ? Cost.ZERO : Spender.tokens(hold);
    }

    private @Nullable Permit permit(Spender spender, Cost asked) {
        try {
            return switch (random.nextInt(3)) {
                case 0 -> spender.breaker.acquire(asked);
                case 1 ->
                    spender.breaker.acquireAsync(asked).toCompletableFuture().join();
                default -> {
                    Permit permit = spender.breaker.tryAcquire(asked).orElse(null);
                    spender.refused.add(permit == null ? 1 : 0);
                    yield permit;
                }
            };
        } catch (BudgetExceededException refused) {
            spender.refused.increment();
        } catch (CompletionException refused) {
            assertThat(refused).hasCauseInstanceOf(BudgetExceededException.class);
            spender.refused.increment();
        }
        return null;
    }

    /** Records or not, and ends now or late; whether it has ended. */
    private boolean begun(Spender spender, Permit permit, long hold) {
        Open open = new Open(spender, permit, hold, random.nextBoolean(), random.nextLong(hold + 1), day);
        if (open.recorded) {
            record(permit, open.used);
        }
        if (random.nextInt(200) == 0) {
            late.add(open);
            return false;
        }
        end(open);
        return true;
    }

    private void record(Permit permit, long used) {
        long first = random.nextLong(used + 1);
        permit.recordCost(Spender.tokens(first));
        permit.recordCost(used - first, 0, BigDecimal.ZERO);
    }

    private void end(Open open) {
        End end = End.values()[random.nextInt(End.values().length)];
        end.of(open.permit);
        // Of several reports the first counts.
        open.permit.close();
        open.permit.success();
        boolean costsHold = !open.recorded && end.costsHold;
        open.spender.ended(
                open.day, open.recorded ? open.used : costsHold ? open.hold : 0, open.recorded || end.costsHold);
        if (costsHold && random.nextBoolean()) {
            // Only down, and at once: what a call has not kept, another one may hold by now.
            open.permit.recordCost(Spender.tokens(open.used));
            open.spender.add(open.day, open.used - open.hold);
        }
    }

    /** A permit that nobody waits for goes back. */
    private void giveUp(Spender spender) {
        long hold = hold(spender);
        CompletableFuture<Permit> permit =
                spender.breaker.acquireAsync(asked(spender, hold)).toCompletableFuture();
        if (permit.cancel(true)) {
            spender.givenUp.increment();
        } else if (permit.isCompletedExceptionally()) {
            spender.refused.increment();
        } else {
            begun(spender, permit.join(), hold);
        }
    }

    private void withoutPermit() {
        if (!manual.breaker.canExecute()) {
            manual.refused.increment();
            return;
        }
        long used = random.nextInt(MOST);
        manual.breaker.recordCost(Spender.tokens(used));
        manual.add(day, used);
        manual.calls.increment();
        manual.ended.increment();
        if (random.nextBoolean()) {
            manual.breaker.recordSuccess();
        } else {
            manual.breaker.recordFailure();
        }
    }

    private void plainly(Spender spender) throws Exception {
        long hold = hold(spender);
        long used = random.nextLong(hold + 1);
        boolean recorded = random.nextBoolean();
        int end = random.nextInt(8);
        boolean[] made = {false};
        Call<String, Exception> call = () -> {
            made[0] = true;
            if (recorded) {
                spender.breaker.recordCost(Spender.tokens(used));
            }
            return plainEnd(end);
        };
        try {
            if (hold != spender.estimate) {
                spender.breaker.<String, Exception>call(Spender.tokens(hold), permit -> call.call());
            } else if (random.nextBoolean()) {
                spender.breaker.<String, Exception>call(call);
            } else {
                spender.breaker.<Exception>run(call::call);
            }
        } catch (CallNotPermittedException refused) {
            assertThat(refused.name()).isEqualTo(made[0] ? "refusing" : spender.breaker.name());
        } catch (IOException | IllegalStateException | InterruptedException | OutOfMemoryError thrown) {
            assertThat(thrown).hasMessage("thrown by the call");
        }
        boolean costsHold = end >= 4;
        count(spender, made[0], recorded ? used : costsHold ? hold : 0, recorded || costsHold);
    }

    private static String plainEnd(int end) throws Exception {
        return switch (end) {
            case 0 -> throw new IOException("thrown by the call");
            case 1 -> throw new IllegalStateException("thrown by the call");
            case 2 -> throw new OutOfMemoryError("thrown by the call");
            case 3 -> throw refusal();
            case 4 -> throw new SocketTimeoutException("thrown by the call");
            case 5 -> throw new InterruptedException("thrown by the call");
            default -> "answer";
        };
    }

    private void count(Spender spender, boolean made, long cost, boolean isCall) {
        if (made) {
            spender.ended(day, cost, isCall);
        } else {
            spender.refused.increment();
        }
    }

    private void async(Spender spender) {
        long hold = hold(spender);
        long used = random.nextLong(hold + 1);
        boolean recorded = random.nextBoolean();
        int end = random.nextInt(9);
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<Boolean> made = new CompletableFuture<>();
        CompletableFuture<String> future = spender.breaker.callAsync(asked(spender, hold), permit -> {
            if (recorded) {
                permit.recordCost(Spender.tokens(used));
            }
            try {
                return begun(stage, end);
            } finally {
                made.complete(true);
            }
        });
        CompletableFuture<Object> begun = CompletableFuture.anyOf(made, future.handle((answer, failure) -> false));
        boolean isMade = begun.join().equals(true) || made.isDone();
        end(stage, future, end);
        Throwable thrown = future.handle((answer, failure) -> failure).join();
        boolean costsHold = end >= 5;
        assertThat(thrown == null).isEqualTo(isMade && (end == 5 || end == 6));
        count(spender, isMade, recorded ? used : costsHold ? hold : 0, recorded || costsHold);
    }

    private static @Nullable CompletableFuture<String> begun(CompletableFuture<String> stage, int end) {
        switch (end) {
            case 0 -> throw new UncheckedIOException("before anything was sent", new IOException());
            case 1 -> {
                return null;
            }
            case 5 -> stage.complete("answer");
            default -> {}
        }
        return stage;
    }

    private static void end(CompletableFuture<String> stage, CompletableFuture<String> future, int end) {
        switch (end) {
            case 2 -> stage.completeExceptionally(new IOException("down"));
            case 3 -> stage.completeExceptionally(new IllegalStateException("ignored"));
            case 4 -> stage.completeExceptionally(refusal());
            case 6 -> stage.complete("answer");
            case 7 -> future.cancel(true);
            case 8 -> future.completeExceptionally(new TimeoutException());
            default -> {}
        }
    }

    private void nested() {
        long hold = hold(agent);
        long used = random.nextLong(hold + 1);
        boolean recorded = random.nextBoolean();
        boolean passesOn = random.nextBoolean();
        boolean[] made = {false};
        boolean[] settledInside = {false};
        boolean refusedInside = false;
        try {
            agent.breaker.<String, RuntimeException>call(asked(agent, hold), permit -> {
                made[0] = true;
                if (recorded) {
                    record(permit, used);
                }
                steps(passesOn, settledInside);
                return "answer";
            });
        } catch (BudgetExceededException refused) {
            refusedInside = made[0];
            assertThat(refused.name()).isEqualTo(refusedInside ? "model" : "agent");
        }
        boolean costsHold = !settledInside[0] && !refusedInside;
        count(agent, made[0], recorded ? used : costsHold ? hold : 0, recorded || settledInside[0] || costsHold);
    }

    /** Calls inside a call: once its ceiling has refused one, it refuses all. */
    private void steps(boolean passesOn, boolean[] settled) {
        boolean cutOff = false;
        int steps = 1 + random.nextInt(4);
        for (int i = 0; i < steps; i++) {
            long hold = hold(model);
            Permit permit;
            try {
                permit = model.breaker.acquire(asked(model, hold));
            } catch (BudgetExceededException refused) {
                model.refused.increment();
                cutOff |= refused.budget().name().equals("run");
                if (passesOn) {
                    throw refused;
                }
                continue;
            }
            assertThat(cutOff).isFalse();
            settled[0] |= begun(model, permit, hold);
        }
        if (random.nextInt(16) == 0) {
            BudgetStatus run = agent.breaker.budgets().stream()
                    .filter(budget -> budget.name().equals("run"))
                    .findFirst()
                    .orElseThrow();
            assertThat(run.spent().add(run.held())).isLessThanOrEqualTo(run.limit());
        }
    }
}
