package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.State.Result;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SettingsRaceTest {
    @Test
    void thresholdLoweredWhileAResultIsReported_actsOnTheNextResult_notAtATimeThatNobodyRead() {
        FakeTime time = new FakeTime();
        Engine engine = new Engine(CircuitBreaker.of("llm"), settings(5, time));
        Result judgedBefore = new Result(Verdict.FAILURE, false, null, null, Duration.ZERO, Engine.UNTIMED);

        engine.reconfigure(seen -> settings(1, time));
        State after = engine.state.report(engine, judgedBefore);

        assertThat(after).isInstanceOf(Closed.class);
        assertThat(after.streak).isEqualTo(1);
        engine.recordManual(Verdict.FAILURE);
        assertThat(engine.state).isInstanceOf(Open.class);
        assertThat(engine.state.retryNanos(time.getAsLong()))
                .isEqualTo(Duration.ofMinutes(5).toNanos());
    }

    @Test
    void changeWhileABreakerOpensProbesOrCloses_isNotLost_becauseWhoeverMovesItMustLookAgain() {
        FakeTime time = new FakeTime();
        Engine engine = new Engine(CircuitBreaker.of("llm"), settings(1, time));
        engine.recordManual(Verdict.FAILURE);
        State open = engine.state;
        engine.reconfigure(seen -> settings(2, time));
        assertThat(open).isInstanceOf(Open.class);
        assertThat(engine.state).isNotSameAs(open).isInstanceOf(Open.class);

        time.advance(Duration.ofMinutes(5));
        State halfOpen = engine.look(time.getAsLong());
        engine.reconfigure(seen -> settings(3, time));
        assertThat(halfOpen).isInstanceOf(HalfOpen.class);
        assertThat(engine.state).isNotSameAs(halfOpen).isInstanceOf(HalfOpen.class);
    }

    private static Settings settings(int threshold, FakeTime time) {
        Settings settings = new Settings();
        settings.failureThreshold = threshold;
        settings.ticker = time;
        settings.clock = time;
        return settings;
    }
}
