package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Ledger.Account;
import dev.guardedby.circuitbreaker.Ledger.Adjustment;
import dev.guardedby.circuitbreaker.Ledger.Answer;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Moment;
import dev.guardedby.circuitbreaker.Ledger.Settlement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private static final Duration TIMEOUT = Duration.ofMinutes(15);
    private static final Account DAILY = account("daily", BudgetWindow.day(ZoneOffset.UTC));
    private static final Account BURST = account("burst", BudgetWindow.rolling(Duration.ofMinutes(10)));
    private static final Account LIFE = account("life", BudgetWindow.lifetime());

    private final FakeTime time = new FakeTime();
    private final MemoryLedger ledger = new MemoryLedger();

    private static Account account(String budget, BudgetWindow window) {
        return new Account("llm", null, budget, Unit.USD, window);
    }

    @Test
    void holdsUpToTheLimit_refusedUntilOneIsSettledForLess() {
        Hold first = hold(line(DAILY, 60));

        assertThat(reserve(first)).isNull();
        assertThat(reserve(hold(line(DAILY, 41)))).isEqualTo(Kind.RESERVED);
        assertThat(reserve(hold(line(DAILY, 40)))).isNull();
        assertThat(reserve(hold(line(DAILY, 0)))).isEqualTo(Kind.RESERVED);

        settle(first, 1, 10);
        assertThat(shown(DAILY)).isEqualTo("10+40");
        assertThat(reserve(hold(line(DAILY, 50)))).isNull();
        assertThat(shown(DAILY)).isEqualTo("10+90");
    }

    @Test
    void whyALineDoesNotFit() {
        settled(DAILY, 100);

        assertThat(reserve(hold(line(DAILY, 101)))).isEqualTo(Kind.TOO_LARGE);
        assertThat(reserve(hold(line(DAILY, 0)))).isEqualTo(Kind.EXHAUSTED);
        assertThat(reserve(hold(new Line(LIFE, 0, 0, true)))).isEqualTo(Kind.EXHAUSTED);
    }

    @Test
    void severalLines_allOrNone_andTheFirstThatDoesNotFitIsNamed() {
        settled(BURST, 90);

        Answer answer = ask(hold(line(DAILY, 20), line(BURST, 20), line(LIFE, 200)));

        assertThat(answer.refusing()).isEqualTo(1);
        assertThat(answer.kind()).isEqualTo(Kind.EXHAUSTED);
        assertThat(List.of(shown(DAILY), shown(BURST), shown(LIFE))).containsExactly("0+0", "90+0", "0+0");

        Hold fitting = hold(line(DAILY, 10), line(BURST, 10), line(LIFE, 10));
        assertThat(reserve(fitting)).isNull();
        settle(fitting, 1, 1, 2, 3);
        assertThat(List.of(shown(DAILY), shown(BURST), shown(LIFE))).containsExactly("1+0", "92+0", "3+0");
    }

    @Test
    void settlements_countOnce_andTheLatestRevisionWins_inWhateverOrder() {
        Hold call = hold(line(DAILY, 50));
        assertThat(reserve(call)).isNull();

        settle(call, 2, 30);
        settle(call, 1, 50);
        settle(call, 2, 30);
        assertThat(shown(DAILY)).isEqualTo("30+0");

        settle(call, 3, 5);
        assertThat(shown(DAILY)).isEqualTo("5+0");
    }

    @Test
    void refusedHold_settlesNothing() {
        Hold refused = hold(line(DAILY, 101));
        assertThat(reserve(refused)).isEqualTo(Kind.TOO_LARGE);

        settle(refused, 1, 50);

        assertThat(shown(DAILY)).isEqualTo("0+0");
    }

    @Test
    void forcedHold_isBookedThoughItDoesNotFit_andTheAnswerSaysSo() {
        Hold forced = new Hold(List.of(line(DAILY, 150)), TIMEOUT, true, now());

        assertThat(reserve(forced)).isEqualTo(Kind.TOO_LARGE);
        assertThat(shown(DAILY)).isEqualTo("0+150");

        settle(forced, 1, 120);
        assertThat(shown(DAILY)).isEqualTo("120+0");
    }

    @Test
    void unsettledHold_isLostAfterItsTime_andALateReportReplacesItOnce() {
        Hold lost = hold(line(LIFE, 40));
        assertThat(reserve(lost)).isNull();

        time.advance(TIMEOUT.minusNanos(1));
        assertThat(shown(LIFE)).isEqualTo("0+40");
        time.advance(Duration.ofNanos(1));
        assertThat(shown(LIFE)).isEqualTo("40+0");

        settle(lost, 1, 7);
        settle(lost, 1, 7);
        assertThat(shown(LIFE)).isEqualTo("7+0");
    }

    @Test
    void holdsOfDifferentTimes_eachIsLostAtItsOwn() {
        reserve(new Hold(List.of(line(LIFE, 1)), Duration.ofMinutes(20), false, now()));
        reserve(new Hold(List.of(line(LIFE, 2)), Duration.ofMinutes(5), false, now()));
        reserve(new Hold(List.of(line(LIFE, 4)), Duration.ofMinutes(20), false, now()));

        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            seen.add(shown(LIFE));
            time.advance(Duration.ofMinutes(5));
        }

        assertThat(seen).containsExactly("0+7", "2+5", "2+5", "2+5", "7+0");
    }

    @Test
    void newDay_beginsEmpty_andWhatWasReservedYesterdaySettlesThere() {
        settled(DAILY, 30);
        Hold overnight = hold(line(DAILY, 60));
        assertThat(reserve(overnight)).isNull();
        time.advance(Duration.ofDays(1).minusNanos(1));
        Hold lateEvening = hold(line(DAILY, 10));
        // The night's hold has been lost by then: it counts as spent, in its own day.
        assertThat(reserve(lateEvening)).isNull();
        assertThat(shown(DAILY)).isEqualTo("90+10");

        time.advance(Duration.ofNanos(1));
        assertThat(shown(DAILY)).isEqualTo("0+0");
        assertThat(reserve(hold(line(DAILY, 100)))).isNull();
        settle(overnight, 1, 60);
        settle(lateEvening, 1, 10);
        assertThat(shown(DAILY)).isEqualTo("0+100");
    }

    @Test
    void wallClockThatStepsBack_reopensNoEarlierDay_andGivesNoSecondLimit() {
        settled(DAILY, 100);
        Instant tomorrow = FakeTime.START.plus(Duration.ofDays(1));
        Hold next = new Hold(List.of(line(DAILY, 100)), TIMEOUT, false, new Moment(tomorrow, time.getAsLong()));
        assertThat(reserve(next)).isNull();

        assertThat(reserve(hold(line(DAILY, 1)))).isEqualTo(Kind.RESERVED);
        assertThat(balance(DAILY).resetsAt()).isEqualTo(FakeTime.START.plus(Duration.ofDays(2)));
    }

    @Test
    void rollingWindow_forgetsLateByASliceAtMost_neverEarly() {
        settled(BURST, 100);
        time.advance(Duration.ofMinutes(10).minusNanos(1));
        assertThat(reserve(hold(line(BURST, 1)))).isEqualTo(Kind.EXHAUSTED);

        time.advance(Duration.ofSeconds(10).plusNanos(1));
        assertThat(shown(BURST)).isEqualTo("0+0");
        assertThat(reserve(hold(line(BURST, 100)))).isNull();
    }

    /** cost.md 26: continuous refill would let the second half pass. */
    @Test
    void rollingWindow_isNoRefillingBucket_spending60PercentTwiceInHalfAWindowIsRefused() {
        settled(BURST, 60);
        time.advance(Duration.ofMinutes(5));
        assertThat(reserve(hold(line(BURST, 60)))).isEqualTo(Kind.EXHAUSTED);
        settled(BURST, 40);

        time.advance(Duration.ofMinutes(5).plusSeconds(10));
        assertThat(shown(BURST)).isEqualTo("40+0");
    }

    @Test
    void rollingHold_settlesInItsSlice_andIsForgottenWithIt() {
        Hold slow = hold(line(BURST, 50));
        assertThat(reserve(slow)).isNull();
        time.advance(Duration.ofMinutes(6));
        settled(BURST, 10);

        settle(slow, 1, 20);
        assertThat(shown(BURST)).isEqualTo("30+0");
        time.advance(Duration.ofMinutes(4).plusSeconds(10));
        assertThat(shown(BURST)).isEqualTo("10+0");

        settle(slow, 2, 90);
        assertThat(shown(BURST)).isEqualTo("10+0");
    }

    @Test
    void tickerThatStepsBack_staysInItsSlice() {
        time.advance(Duration.ofMinutes(1));
        settled(BURST, 30);
        time.advance(Duration.ofMinutes(-2));
        settled(BURST, 30);

        assertThat(shown(BURST)).isEqualTo("60+0");
    }

    @Test
    void adjustments_changeWhatIsSpent_neverBelowZero() {
        settled(DAILY, 90);
        settled(BURST, 10);
        time.advance(Duration.ofMinutes(1));
        settled(BURST, 10);

        adjust(DAILY, -100);
        adjust(DAILY, 25);
        adjust(BURST, -15);
        adjust(LIFE, Long.MIN_VALUE);

        assertThat(List.of(shown(DAILY), shown(BURST), shown(LIFE))).containsExactly("25+0", "5+0", "0+0");
    }

    @Test
    void operatorsLimit_beatsThoseOfLines_inLaterWindowsToo_andThatOfTheBreakerHoldsForItsKeys() {
        Account acme = new Account("llm", "acme", "daily", Unit.USD, DAILY.window());
        Account other = new Account("llm", "other", "daily", Unit.USD, DAILY.window());
        ledger.limit(new Line(DAILY, 200, 0, false), now());
        ledger.limit(new Line(other, 10, 0, false), now());

        assertThat(reserve(hold(line(DAILY, 200)))).isNull();
        assertThat(reserve(hold(line(acme, 200)))).isNull();
        assertThat(reserve(hold(line(other, 11)))).isEqualTo(Kind.TOO_LARGE);

        time.advance(Duration.ofDays(1));
        assertThat(reserve(hold(line(DAILY, 200)))).isNull();
        assertThat(balance(DAILY).limit()).isEqualTo(200);
    }

    @Test
    void sums_stopAtTheEndOfNumbers_andComeBackExactly() {
        Hold huge = new Hold(List.of(line(LIFE, Long.MAX_VALUE)), TIMEOUT, true, now());
        Hold more = new Hold(List.of(line(LIFE, Long.MAX_VALUE)), TIMEOUT, true, now());
        reserve(huge);
        reserve(more);
        assertThat(shown(LIFE)).isEqualTo("0+" + Long.MAX_VALUE);

        settle(huge, 1, Long.MAX_VALUE);
        settle(more, 1, 5);
        adjust(LIFE, 5);
        assertThat(shown(LIFE)).isEqualTo(Long.MAX_VALUE + "+0");

        settle(huge, 2, 1);
        assertThat(shown(LIFE)).isEqualTo("1+0");
    }

    @Test
    void softCall_marksItsWindow() {
        settled(DAILY, 10);
        assertThat(balance(DAILY).kind()).isEqualTo(BudgetStatus.Kind.EXACT);

        reserve(hold(new Line(DAILY, 100, 0, true)));
        assertThat(balance(DAILY).kind()).isEqualTo(BudgetStatus.Kind.SOFT);

        time.advance(Duration.ofDays(1));
        assertThat(balance(DAILY).kind()).isEqualTo(BudgetStatus.Kind.EXACT);
    }

    @Test
    void accountsThatSayNothingAnyMore_goWhenManyNewOnesCome() {
        for (int day = 0; day < 20; day++) {
            for (int i = 0; i < 1_000; i++) {
                settled(new Account("llm", day + "-" + i, "daily", Unit.USD, DAILY.window()), 1);
            }
            time.advance(Duration.ofDays(1).plusHours(2));
        }

        assertThat(ledger.size()).isLessThan(4_100);
    }

    @Test
    void looking_keepsNoAccount() {
        assertThat(shown(DAILY)).isEqualTo("0+0");
        assertThat(balance(DAILY).resetsAt()).isEqualTo(FakeTime.START.plus(Duration.ofDays(1)));
        assertThat(ledger.size()).isZero();
    }

    private Moment now() {
        return new Moment(time.instant(), time.getAsLong());
    }

    private static Line line(Account account, long amount) {
        return new Line(account, 100, amount, false);
    }

    private Hold hold(Line... lines) {
        return new Hold(List.of(lines), TIMEOUT, false, now());
    }

    private Answer ask(Hold hold) {
        return ledger.reserve(hold).toCompletableFuture().join();
    }

    private @Nullable Kind reserve(Hold hold) {
        return ask(hold).kind();
    }

    private void settle(Hold hold, long revision, long... amounts) {
        ledger.settle(new Settlement(hold, revision, amounts, Set.of()));
    }

    private void settled(Account account, long amount) {
        Hold hold = hold(line(account, amount));
        assertThat(reserve(hold)).isNull();
        settle(hold, 1, amount);
    }

    private void adjust(Account account, long change) {
        ledger.adjust(new Adjustment(line(account, 0), change, "mistake", now()));
    }

    private Balance balance(Account account) {
        return ledger.look(List.of(line(account, 0)), now())
                .toCompletableFuture()
                .join()
                .get(0);
    }

    private String shown(Account account) {
        Balance balance = balance(account);
        return balance.spent() + "+" + balance.held();
    }
}
