package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The exception of a call that a budget refuses: it says which, how much, until when, and what to do. */
final class BudgetExceededTest {
    private static final Instant NOW = Instant.parse("2026-11-24T10:15:30Z");
    private static final Instant MIDNIGHT = Instant.parse("2026-11-24T23:00:00Z");
    private static final BudgetWindow DAY = BudgetWindow.day(ZoneId.of("Europe/Berlin"));

    private static BudgetExceededException refused(Kind kind, BudgetWindow window, BudgetStatus status) {
        return new BudgetExceededException(
                CircuitBreaker.of("llm"),
                CircuitState.CLOSED,
                new BudgetRefusal(status, kind, window.words(), null, null, null, null));
    }

    private static BudgetStatus usd(String spent, String held, @Nullable Instant resetsAt) {
        return new BudgetStatus(
                "daily",
                Unit.USD,
                new BigDecimal("25"),
                new BigDecimal(spent),
                new BigDecimal(held),
                resetsAt,
                BudgetStatus.Kind.EXACT,
                NOW);
    }

    @Test
    void spentBudget_saysHowMuch_andWhenItResets() {
        BudgetExceededException refused = refused(Kind.EXHAUSTED, DAY, usd("25.03", "0", MIDNIGHT));

        assertThat(refused)
                .hasMessage("Circuit breaker 'llm' is out of budget 'daily', 25.03 of 25 USD per day are spent;"
                        + " it resets in 12 h 44 min, at 2026-11-24T23:00:00Z")
                .hasNoCause();
        assertThat(refused.getStackTrace()).isEmpty();
        assertThat(refused.name()).isEqualTo("llm");
        assertThat(refused.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(refused.kind()).isEqualTo(Kind.EXHAUSTED);
        assertThat(refused.budget()).isEqualTo(usd("25.03", "0", MIDNIGHT));
        assertThat(refused.retryAfter()).contains(Duration.parse("PT12H44M30S"));
        assertThat(refused.refusal().reason()).isEqualTo(Reason.BUDGET);
        assertThat(refused.refusal().retryAfter()).isEqualTo(refused.retryAfter());
    }

    @Test
    void windowsThatDoNotReset_sayWhatHelps() {
        BudgetStatus spent = usd("25", "0", null);

        assertThat(refused(Kind.EXHAUSTED, BudgetWindow.call(), spent))
                .hasMessageEndingWith("25 of 25 USD per call are spent; nothing further passes inside this call");
        assertThat(refused(Kind.EXHAUSTED, BudgetWindow.lifetime(), spent))
                .hasMessageEndingWith(
                        "25 of 25 USD in all are spent; it never resets, so raise the limit or correct what was spent");
        BudgetExceededException rolling = refused(Kind.EXHAUSTED, BudgetWindow.rolling(Duration.ofMinutes(10)), spent);
        assertThat(rolling)
                .hasMessageEndingWith("25 of 25 USD per 10m are spent; what was spent is forgotten after 10m");
        assertThat(rolling.retryAfter()).isEmpty();
    }

    @Test
    void otherKinds_promiseNoTime_andSayWhatHelps() {
        BudgetStatus status = usd("10", "14.99", MIDNIGHT);
        for (Kind kind : Kind.values()) {
            assertThat(refused(kind, DAY, status).retryAfter().isPresent()).isEqualTo(kind == Kind.EXHAUSTED);
        }

        assertThat(refused(Kind.RESERVED, DAY, status))
                .hasMessage("Circuit breaker 'llm' is out of budget 'daily' for now, 10 of 25 USD per day are spent and"
                        + " 14.99 held by calls under way; try again when they have ended");
        assertThat(refused(Kind.TOO_LARGE, DAY, status))
                .hasMessage(
                        "Circuit breaker 'llm' is out of budget 'daily' for this call, which may cost more than all of"
                                + " the 25 USD per day; lower its estimate or raise the limit");
        assertThat(refused(Kind.UNPRICED, DAY, status))
                .hasMessage(
                        "Circuit breaker 'llm' is cut off by budget 'daily', because nobody knows what this call may cost in USD;"
                                + " set a price or estimate-per-call");
        assertThat(refused(Kind.STORE, DAY, status))
                .hasMessage(
                        "Circuit breaker 'llm' is cut off from budget 'daily', whose store does not answer; calls pass"
                                + " again when it does");
    }

    @Test
    void limit0_isNoMatterOfWhatTheCallCosts_norOfTheNextWindow() {
        BudgetStatus nothing = new BudgetStatus(
                "daily",
                Unit.USD,
                BigDecimal.ZERO,
                BigDecimal.ZERO,
                BigDecimal.ZERO,
                MIDNIGHT,
                BudgetStatus.Kind.EXACT,
                NOW);

        for (Kind kind : new Kind[] {Kind.EXHAUSTED, Kind.TOO_LARGE, Kind.UNPRICED}) {
            BudgetExceededException refused = refused(kind, DAY, nothing);
            assertThat(refused)
                    .hasMessage("Circuit breaker 'llm' is out of budget 'daily', whose limit of 0 USD per day lets no"
                            + " call pass; raise the limit");
            assertThat(refused.retryAfter()).isEmpty();
            assertThat(refused.kind()).isEqualTo(kind);
        }
        assertThat(refused(Kind.STORE, DAY, nothing)).hasMessageContaining("store does not answer");
    }

    @Test
    void numbersAreWrittenPlain() {
        BudgetStatus tokens = new BudgetStatus(
                "burst",
                Unit.TOKENS,
                new BigDecimal("2E+5"),
                new BigDecimal("200001"),
                BigDecimal.ZERO,
                null,
                BudgetStatus.Kind.SOFT,
                NOW);

        assertThat(refused(Kind.EXHAUSTED, BudgetWindow.call(), tokens))
                .hasMessageContaining("200001 of 200000 tokens per call are spent");
    }

    @Test
    void wallClockThatIsFarOff_neverThrows_andNeverPromisesLessThanNothing() {
        assertThat(refused(Kind.EXHAUSTED, DAY, usd("25", "0", NOW.minusSeconds(1)))
                        .retryAfter())
                .contains(Duration.ZERO);
        BudgetStatus atTheBeginning = new BudgetStatus(
                "daily",
                Unit.USD,
                BigDecimal.ONE,
                BigDecimal.ONE,
                BigDecimal.ZERO,
                MIDNIGHT,
                BudgetStatus.Kind.EXACT,
                Instant.MIN);
        assertThat(refused(Kind.EXHAUSTED, DAY, atTheBeginning)).hasMessageContaining("it resets in 87672 h 0 min");
        assertThat(refused(Kind.EXHAUSTED, DAY, atTheBeginning).retryAfter()).isEqualTo(Optional.of(Require.LONGEST));
    }

    @Test
    void exception_survivesSerialization() throws Exception {
        BudgetExceededException refused = refused(Kind.EXHAUSTED, DAY, usd("25", "0.5", MIDNIGHT));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(refused);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            BudgetExceededException read = (BudgetExceededException) in.readObject();

            assertThat(read).hasMessage(refused.getMessage());
            assertThat(read.budget()).isEqualTo(refused.budget());
            assertThat(read.retryAfter()).isEqualTo(refused.retryAfter());
        }
    }
}
