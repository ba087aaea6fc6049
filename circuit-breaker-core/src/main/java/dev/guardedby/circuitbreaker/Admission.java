package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Ledger.Answer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The way in of one call: the state lets it pass first, which may take a slot, then the budgets do. If they do not, or fail, what
 * the state gave is given back before anybody hears of it; and if the period has ended meanwhile, all is asked again.
 */
final class Admission {
    private final Engine engine;
    private final Mode mode;
    private final Charge charge;
    private Permit permit;
    private @Nullable BudgetRefusal refusal;

    private Admission(Engine engine, Permit permit, Charge charge, Mode mode) {
        this.engine = engine;
        this.permit = permit;
        this.charge = charge;
        this.mode = mode;
    }

    /** A permit, or null (or, if asked, an exception) for a refusal; waits for the ledger. */
    static @Nullable Permit now(Engine engine, Estimate hold, boolean manual, boolean orThrow) {
        while (true) {
            Permit permit = engine.admit(manual, orThrow);
            if (permit == null || !engine.purse.isAsked()) {
                return permit;
            }
            Admission admission = begun(engine, permit, hold, Scope.innermostCharge());
            if (admission == null) {
                return permit;
            }
            if (admission.conclude(await(admission.ask()))) {
                if (manual && admission.refusal == null) {
                    admission.charge.settleUnseen();
                }
                return admission.permit(orThrow);
            }
        }
    }

    /** A stage of a permit, which fails with the refusal; never waits. */
    static CompletionStage<Permit> later(Engine engine, Estimate hold) {
        CompletableFuture<Permit> permit = new CompletableFuture<>();
        later(engine, hold, Scope.innermostCharge(), permit);
        return permit;
    }

    private static void later(Engine engine, Estimate hold, @Nullable Charge outer, CompletableFuture<Permit> result) {
        try {
            Permit permit = Objects.requireNonNull(engine.admit(false, true));
            Admission admission = outer != null || engine.purse.isAsked() ? begun(engine, permit, hold, outer) : null;
            if (admission == null) {
                result.complete(permit);
                return;
            }
            CompletionStage<Answer> asked = admission.ask();
            if (asked == null) {
                admission.deliver(Reply.NONE, hold, outer, result);
                return;
            }
            admission.deliverLater(asked, hold, outer, result);
        } catch (Throwable refused) {
            // Not a failed stage of another one, which would wrap the refusal.
            result.completeExceptionally(refused);
        }
    }

    private void deliverLater(
            CompletionStage<Answer> asked, Estimate hold, @Nullable Charge outer, CompletableFuture<Permit> result) {
        try {
            CompletionStage<Answer> unused =
                    asked.whenComplete((answer, failure) -> deliver(Reply.of(answer, failure), hold, outer, result));
        } catch (Throwable broken) {
            deliver(Reply.of(null, broken), hold, outer, result);
        }
    }

    private void deliver(Reply reply, Estimate hold, @Nullable Charge outer, CompletableFuture<Permit> result) {
        try {
            if (!conclude(reply)) {
                later(engine, hold, outer, result);
            } else if (!result.complete(Objects.requireNonNull(permit(true)))) {
                // Nobody waits for it any more.
                giveBack();
            }
        } catch (Throwable refused) {
            result.completeExceptionally(refused);
        }
    }

    private static @Nullable Admission begun(Engine engine, Permit permit, Estimate hold, @Nullable Charge outer) {
        try {
            Mode mode = engine.state.mode;
            Charge charge = Charge.of(engine, hold, mode, outer);
            return charge == null ? null : new Admission(engine, permit, charge, mode);
        } catch (Throwable broken) {
            permit.withdraw();
            throw broken;
        }
    }

    /** Waits for an answer, if it is not there yet. */
    private static Reply await(@Nullable CompletionStage<Answer> asked) {
        if (asked == null) {
            return Reply.NONE;
        }
        try {
            return Reply.of(Stages.await(asked), null);
        } catch (Exception failure) {
            return Reply.of(null, failure);
        }
    }

    /** Asks what there is to ask; null if nothing is. What is thrown is an answer, too. */
    private @Nullable CompletionStage<Answer> ask() {
        try {
            refusal = charge.enter();
            return refusal != null && mode == Mode.ENFORCE ? null : Objects.requireNonNull(charge.reserve(), "answer");
        } catch (Throwable thrown) {
            return CompletableFuture.failedFuture(thrown);
        }
    }

    /** Makes of the answer what it means; false if all must be asked again. */
    private boolean conclude(Reply reply) {
        boolean concluded = false;
        try {
            if (reply.failure instanceof Error error) {
                throw error;
            }
            if (reply.failure != null) {
                refusal = charge.withoutAnswer(reply.failure);
            } else if (reply.answer != null) {
                BudgetRefusal byLedger = charge.refusal(reply.answer);
                refusal = refusal == null ? byLedger : refusal;
                charge.seen(reply.answer.balances());
            }
            if (refusal == null || mode != Mode.ENFORCE) {
                if (permit.isOutdated()) {
                    return false;
                }
                admit();
                concluded = true;
            }
            return true;
        } finally {
            if (!concluded) {
                giveBack();
            }
        }
    }

    private void admit() {
        if (refusal != null && mode == Mode.OBSERVE) {
            permit = engine.withoutPlace(permit);
        }
        refusal = null;
        permit.charge(charge);
    }

    private void giveBack() {
        try {
            permit.withdraw();
        } finally {
            try {
                charge.withdraw();
            } catch (Throwable broken) {
                Deliveries.warn("A hold of circuit breaker '" + engine.breaker.name() + "' was not released", broken);
            }
        }
    }

    private @Nullable Permit permit(boolean orThrow) {
        if (refusal == null) {
            return permit;
        }
        engine.countRefused(refusal);
        if (orThrow) {
            throw refusal.exception(engine.breaker, engine.state.circuitState());
        }
        return null;
    }

    /** What came of asking: an answer, a failure, or neither where nobody was asked. */
    private record Reply(@Nullable Answer answer, @Nullable Throwable failure) {
        static final Reply NONE = new Reply(null, null);

        static Reply of(@Nullable Answer answer, @Nullable Throwable failure) {
            Throwable missing = answer == null ? new NullPointerException("answer") : null;
            return new Reply(answer, failure == null ? missing : Stages.cause(failure));
        }
    }
}
