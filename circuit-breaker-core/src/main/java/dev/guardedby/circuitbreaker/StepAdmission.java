package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Charge.Claim;
import dev.guardedby.circuitbreaker.Ledger.Answer;
import dev.guardedby.circuitbreaker.Ledger.Extension;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The way in of one step of a call: what it may cost is claimed in the ceilings, then the ledger is asked, in all or in none. */
final class StepAdmission {
    private final Engine engine;
    private final Charge charge;
    private final @Nullable Gate gate;
    private final boolean forced;
    private final Step step;

    /**
     * The admission of a step.
     *
     * @param charge what the call is charged
     * @param gate its budgets that a ledger keeps; null if there are none
     * @param forced whether a refusal is told and not heeded
     */
    StepAdmission(Engine engine, Charge charge, @Nullable Gate gate, boolean forced, Step step) {
        this.engine = engine;
        this.charge = charge;
        this.gate = gate;
        this.forced = forced;
        this.step = step;
    }

    /**
     * Reserves what the step may cost.
     *
     * @return a stage that tells why not, or completes with empty; an exception of the ledger is such a reason, an Error of it is passed
     *     on
     */
    CompletionStage<Optional<BudgetRefusal>> ask() {
        BudgetRefusal missing = charge.unknownCost(step.reserved());
        if (missing != null && !forced) {
            return CompletableFuture.completedFuture(Optional.of(missing));
        }
        Claim claim = charge.claim(step, engine.wallTime());
        BudgetRefusal refusal = missing == null ? claim.refusal() : missing;
        if (refusal != null && !forced) {
            charge.takeBack(step);
        } else if (gate != null && claim.hold() != null) {
            return extended(gate, claim, refusal);
        }
        return CompletableFuture.completedFuture(Optional.ofNullable(refusal));
    }

    private CompletionStage<Optional<BudgetRefusal>> extended(
            Gate asked, Claim claim, @Nullable BudgetRefusal byCeiling) {
        CompletionStage<Answer> answer;
        try {
            Extension extension = new Extension(Objects.requireNonNull(claim.hold()), claim.lines(), asked.moment());
            answer = Objects.requireNonNull(asked.ledger.extend(extension), "answer");
        } catch (Throwable broken) {
            answer = CompletableFuture.failedFuture(broken);
        }
        return answer.handle((given, failure) -> {
            BudgetRefusal byLedger =
                    given == null ? unanswered(asked, failure) : asked.refusalOfStep(given, claim.lines());
            if (given != null) {
                charge.seen(given.balances());
            }
            BudgetRefusal refusal = byCeiling == null ? byLedger : byCeiling;
            if (refusal != null && !forced) {
                charge.takeBack(step);
            }
            return Optional.ofNullable(refusal);
        });
    }

    private static BudgetRefusal unanswered(Gate asked, @Nullable Throwable failure) {
        Throwable cause = failure == null ? new NullPointerException("answer") : Stages.cause(failure);
        if (cause instanceof Error error) {
            throw error;
        }
        return asked.withoutAnswer(cause);
    }
}
