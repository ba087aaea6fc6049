package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One name, and a breaker of its own for each key. */
class KeysTest {
    private final Story story = new Story();
    private final KeptInAMap kept = new KeptInAMap(100);
    private final CircuitBreaker llm = keyed(story.breaker());

    private CircuitBreaker keyed(CircuitBreaker.Builder builder) {
        CircuitBreaker breaker = builder.build();
        breaker.keyedBy(kept);
        return breaker;
    }

    private static String state(CircuitBreaker breaker) {
        return breaker + (breaker.refusal().isPresent() ? " refuses" : " admits");
    }

    @Test
    void keyThatTrips_isCutOff_andNoOtherIs() {
        CircuitBreaker acme = llm.forKey("acme");
        CircuitBreaker umbrella = llm.forKey("umbrella");

        Story.fail(acme, 3);
        umbrella.run(() -> {});

        assertThat(List.of(state(acme), state(umbrella), state(llm)))
                .containsExactly(
                        "CircuitBreaker[name=llm, key=acme, state=open, failures=3/3] refuses",
                        "CircuitBreaker[name=llm, key=umbrella, state=closed, failures=0/3] admits",
                        "CircuitBreaker[name=llm, state=closed, failures=0/3] admits");
        assertThat(llm.forKey("acme")).isSameAs(acme);
        assertThat(acme.parent()).containsSame(llm);

        story.time.advance(WAIT);
        acme.run(() -> {});
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void states_countTheKeys_andMoveNothing() {
        assertThat(kept.states()).hasToString("{CLOSED=0, OPEN=0, HALF_OPEN=0}");
        Story.fail(llm.forKey("probing"), 3);
        story.time.advance(WAIT);
        llm.forKey("probing").acquire();
        Story.fail(llm.forKey("due"), 3);
        llm.forKey("held").holdOpen();
        llm.forKey("healthy").run(() -> {});
        story.time.advance(WAIT);

        assertThat(kept.states()).hasToString("{CLOSED=1, OPEN=2, HALF_OPEN=1}");
        assertThat(llm.forKey("due").stats().timesHalfOpened()).isZero();
    }

    @Test
    void refusal_namesTheKey() {
        CircuitBreaker acme = llm.forKey("acme");
        acme.holdOpen();

        assertThatThrownBy(acme::acquire)
                .isInstanceOfSatisfying(CallNotPermittedException.class, refused -> {
                    assertThat(refused.name()).isEqualTo("llm");
                    assertThat(refused.key()).contains("acme");
                })
                .hasMessage("Circuit breaker 'llm' for key 'acme' is held open by an operator");
    }

    @Test
    void totals_areThoseOfAllKeys_andNoneOfThemMovesTheBreakerOfTheName() {
        CircuitBreaker acme = llm.forKey("acme");
        llm.run(() -> {});
        acme.run(() -> {});
        acme.recordCost(Cost.usd("0.02"));
        Story.fail(acme, 3);
        assertThat(acme.tryAcquire()).isEmpty();
        try (Permit lost = llm.forKey("umbrella").acquire()) {
            lost.recordCost(Cost.usd("0.01"));
        }
        kept.kept.clear();

        assertThat(Story.counts(llm))
                .isEqualTo("totalSuccesses=2 totalFailures=3 totalIgnored=1 totalRejected=1 unreported=1");
        assertThat(llm.stats().totalEstimatedCost()).isEqualByComparingTo("0.03");
        assertThat(llm.stats().lastFailureAt()).isEqualTo(acme.stats().lastFailureAt());
        assertThat(Story.counts(acme))
                .isEqualTo("totalSuccesses=1 totalFailures=3 timesOpened=1 consecutiveFailures=3 totalRejected=1");
    }

    @Test
    void successesOfKeys_doNotHideTheFailuresOfOthersInTheWindow() {
        CircuitBreaker shared = keyed(story.breaker()
                .failureRateThreshold(50)
                .window(10)
                .minimumCalls(4)
                .failureThreshold(50));
        CircuitBreaker acme = shared.forKey("acme");
        for (int i = 0; i < 20; i++) {
            acme.run(() -> {});
        }

        Story.fail(shared, 4);

        assertThat(shared.state()).isEqualTo(CircuitState.OPEN);
        assertThat(acme.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void whatAnOperatorDoesToTheName_isDoneToEachKey() {
        CircuitBreaker tripped = llm.forKey("tripped");
        CircuitBreaker calm = llm.forKey("calm");
        Story.fail(tripped, 3);
        List<CircuitBreaker> all = List.of(llm, tripped, calm);

        llm.forceOpen();
        assertThat(all).extracting(CircuitBreaker::state).containsOnly(CircuitState.OPEN);
        llm.holdOpen();
        assertThat(all).extracting(CircuitBreaker::timeUntilRetry).allMatch(wait -> wait.isEmpty());
        llm.reset();
        assertThat(all)
                .extracting(CircuitBreaker::toString)
                .allMatch(text -> text.endsWith("state=closed, failures=0/3]"));
        llm.holdOpen();
        llm.forceClose();
        assertThat(all).extracting(CircuitBreaker::state).containsOnly(CircuitState.CLOSED);
        llm.mode(Mode.OBSERVE);
        assertThat(all).extracting(CircuitBreaker::mode).containsOnly(Mode.OBSERVE);
        llm.reconfigure(change -> change.failureThreshold(7).mode(Mode.ENFORCE));
        assertThat(all).extracting(CircuitBreaker::failureThreshold).containsOnly(7);
        assertThat(all).extracting(CircuitBreaker::mode).containsOnly(Mode.ENFORCE);
    }

    @Test
    void whatAnOperatorDoesToOneKey_leavesTheOthersAlone_untilTheNameIsChanged() {
        CircuitBreaker acme = llm.forKey("acme");
        CircuitBreaker umbrella = llm.forKey("umbrella");

        acme.reconfigure(change -> change.failureThreshold(9));
        acme.mode(Mode.DISABLED);
        assertThat(List.of(llm.settings(), umbrella.settings()))
                .allSatisfy(settings -> assertThat(settings)
                        .containsEntry("failure-threshold", 3)
                        .containsEntry("mode", Mode.ENFORCE));
        assertThat(acme.settings()).containsEntry("failure-threshold", 9).containsEntry("mode", Mode.DISABLED);

        llm.reconfigure(change -> change.probes(2));
        assertThat(acme.settings())
                .containsEntry("failure-threshold", 3)
                .containsEntry("probes", 2)
                .containsEntry("mode", Mode.DISABLED);
    }

    @Test
    void keyThatComesLater_beginsAsTheNameIs() {
        llm.reconfigure(change -> change.failureThreshold(1));
        llm.mode(Mode.OBSERVE);
        llm.holdOpen();
        CircuitBreaker held = llm.forKey("held");
        assertThat(held).hasToString("CircuitBreaker[name=llm, key=held, state=open, failures=0/1]");
        assertThat(held.mode()).isEqualTo(Mode.OBSERVE);
        assertThat(held.isIdle())
                .as("forgotten and made again, it is held again")
                .isTrue();
        assertThat(story.history())
                .as("of the name alone: a key that begins has not moved")
                .containsExactly("0s CLOSED>OPEN HOLD_OPEN");

        llm.forceClose();
        assertThat(held.state()).isEqualTo(CircuitState.CLOSED);
        llm.forceOpen();
        assertThat(llm.forKey("late").state()).as("a wait is nobody else's").isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void changeOfTheName_whileAKeyIsMade_reachesIt() {
        List<Consumer<CircuitBreaker>> changes = List.of(
                name -> name.reconfigure(change -> change.failureThreshold(42)),
                name -> name.mode(Mode.DISABLED),
                name -> name.mode(Mode.ENFORCE),
                CircuitBreaker::holdOpen,
                CircuitBreaker::forceClose);
        for (int i = 0; i < changes.size(); i++) {
            Consumer<CircuitBreaker> change = changes.get(i);
            kept.beforeKeeping = () -> change.accept(llm);

            CircuitBreaker made = llm.forKey("made " + i);

            assertThat(made.settings()).as("after change %s", i).isEqualTo(llm.settings());
            assertThat(made.state()).as("after change %s", i).isEqualTo(llm.state());
        }
    }

    @Test
    void nothingToRemember_isIdle_andWhoKeepsItIsTold() {
        CircuitBreaker acme = llm.forKey("acme");
        acme.run(() -> {});
        assertThat(kept.told())
                .as("a success on a closed breaker is nobody's business")
                .isEmpty();

        Story.fail(acme, 1);
        acme.run(() -> {});
        assertThat(kept.told()).containsExactly("acme remembers", "acme is idle");

        Story.fail(acme, 3);
        story.time.advance(WAIT);
        acme.run(() -> {});
        assertThat(kept.told())
                .containsExactly(
                        "acme remembers", // one failure
                        "acme remembers", // two
                        "acme remembers", // open
                        "acme remembers", // a probe is out
                        "acme is idle");

        acme.mode(Mode.OBSERVE);
        acme.mode(Mode.ENFORCE);
        acme.reconfigure(change -> change.probes(4));
        llm.reset();
        llm.reconfigure(change -> change.probes(5));
        assertThat(kept.told())
                .containsExactly("acme remembers", "acme is idle", "acme remembers", "acme remembers", "acme is idle");
    }

    @Test
    void failuresAndSlowCallsInTheWindow_areRemembered_untilTheyLeaveIt() {
        CircuitBreaker slow = keyed(story.breaker()
                .failureThreshold(50)
                .failureRateThreshold(60)
                .slowCallDuration(Duration.ofSeconds(1))
                .slowCallRateThreshold(60)
                .window(Duration.ofSeconds(60)));
        CircuitBreaker acme = slow.forKey("acme");

        acme.run(() -> story.time.advance("PT2S"));
        assertThat(kept.told()).containsExactly("acme remembers");
        story.time.advance("PT62S");
        assertThat(acme.isIdle()).isTrue();

        Story.fail(acme, 1);
        acme.run(() -> {});
        assertThat(kept.told()).containsExactly("acme remembers", "acme remembers");
        story.time.advance("PT62S");
        assertThat(acme.isIdle()).isTrue();
    }

    @Test
    void rampUp_isRememberedUntilItIsOver() {
        CircuitBreaker acme =
                keyed(story.breaker().rampUp(Duration.ofSeconds(30))).forKey("acme");
        Story.trip(acme);
        story.time.advance(WAIT);
        acme.run(() -> {});
        assertThat(acme.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(acme.isIdle()).isFalse();

        story.time.advance("PT30S");
        assertThat(acme.isIdle()).isTrue();
    }

    /** When each of these may be forgotten, by the time since the latest of its calls. */
    private String forgettable(CircuitBreaker breaker, String... uncalled) {
        return Stream.of(uncalled)
                .map(time -> time + (breaker.isForgettable(Duration.parse(time)) ? " gone" : " kept"))
                .collect(Collectors.joining(", "));
    }

    @Test
    void failuresInARow_matterForTenMinutesAfterTheLastCall() {
        CircuitBreaker acme = llm.forKey("acme");
        assertThat(forgettable(acme, "PT0S")).isEqualTo("PT0S gone");

        Story.fail(acme, 1);
        assertThat(forgettable(acme, "PT0S", "PT9M59.999999999S", "PT10M"))
                .isEqualTo("PT0S kept, PT9M59.999999999S kept, PT10M gone");
        acme.run(() -> {});
        assertThat(forgettable(acme, "PT0S")).isEqualTo("PT0S gone");
    }

    @Test
    void whatIsWaitedOrMeasuredForLonger_mattersForLonger() {
        Duration hour = Duration.ofHours(1);
        for (CircuitBreaker.Builder builder : List.of(
                story.breaker().recoveryTimeout(hour),
                story.breaker().probeTimeout(hour),
                story.breaker().failureRateThreshold(50).window(hour))) {
            CircuitBreaker acme = keyed(builder).forKey("acme");
            kept.kept.clear();
            Story.fail(acme, 1);
            assertThat(forgettable(acme, "PT59M59S", "PT1H")).isEqualTo("PT59M59S kept, PT1H gone");
        }
    }

    @Test
    void openKey_mattersUntilTenMinutesAfterItsWait_andWhileItIsCalled() {
        CircuitBreaker acme = llm.forKey("acme");
        Story.fail(acme, 3);

        assertThat(forgettable(acme, "PT100H")).isEqualTo("PT100H kept");
        story.time.advance(WAIT.plus(Duration.ofMinutes(10)).minusNanos(1));
        assertThat(forgettable(acme, "PT100H")).isEqualTo("PT100H kept");
        story.time.advance(Duration.ofNanos(1));
        assertThat(forgettable(acme, "PT9M59S", "PT10M")).isEqualTo("PT9M59S kept, PT10M gone");

        Permit probe = acme.acquire();
        assertThat(forgettable(acme, "PT9M59S", "PT10M"))
                .as("a call in flight holds it; one that is lost does not for ever")
                .isEqualTo("PT9M59S kept, PT10M gone");
        probe.success();
        assertThat(forgettable(acme, "PT0S")).isEqualTo("PT0S gone");
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "610s OPEN>HALF_OPEN WAIT_OVER",
                        "610s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void whatAnOperatorMadeOfOneKey_mattersForEver_andAForcedOpeningLikeAnyOther() {
        CircuitBreaker held = llm.forKey("held");
        held.holdOpen();
        CircuitBreaker observed = llm.forKey("observed");
        observed.mode(Mode.OBSERVE);
        CircuitBreaker reconfigured = llm.forKey("reconfigured");
        reconfigured.reconfigure(change -> change.failureThreshold(9));
        CircuitBreaker forced = llm.forKey("forced");
        forced.forceOpen();

        story.time.advance("PT1000H");
        assertThat(List.of(held, observed, reconfigured, forced))
                .extracting(key -> forgettable(key, "PT1000H"))
                .containsExactly("PT1000H kept", "PT1000H kept", "PT1000H kept", "PT1000H gone");
    }

    @Test
    void keyHeldWithItsName_losesNothingButItsFailures() {
        CircuitBreaker acme = llm.forKey("acme");
        Story.fail(acme, 2);
        llm.holdOpen();

        assertThat(forgettable(acme, "PT9M59S", "PT10M")).isEqualTo("PT9M59S kept, PT10M gone");
    }

    @Test
    void changeOfOneKey_duringOtherChangesOfTheName_isNotLost() {
        CircuitBreaker acme = llm.forKey("acme");

        kept.beforeAll = () -> {
            llm.mode(Mode.OBSERVE);
            acme.reconfigure(change -> change.failureThreshold(9));
        };
        llm.forceOpen();
        assertThat(acme.settings())
                .as("the name has only been switched and forced open meanwhile")
                .containsEntry("failure-threshold", 9)
                .containsEntry("mode", Mode.OBSERVE);

        kept.beforeAll = () -> {
            llm.reconfigure(change -> change.probes(3));
            acme.reconfigure(change -> change.failureThreshold(8));
        };
        llm.reconfigure(change -> change.probes(2));
        assertThat(acme.settings())
                .as("made from the later of the two changes of the name")
                .containsEntry("failure-threshold", 8)
                .containsEntry("probes", 3);
        llm.reconfigure(change -> change.probes(4));
        assertThat(acme.settings()).containsEntry("failure-threshold", 3).containsEntry("probes", 4);
    }

    @Test
    void keyHeldOpenAlone_staysHeld_whateverSettingsOfTheNameChangeAtOnce() {
        CircuitBreaker acme = llm.forKey("acme");
        acme.holdOpen();
        acme.mode(Mode.OBSERVE);

        kept.beforeAll = () -> llm.reconfigure(change -> change.probes(3));
        llm.reconfigure(change -> change.probes(2));

        assertThat(acme.refusal()).isEmpty();
        assertThat(acme.timeUntilRetry()).isEmpty();
        assertThat(List.of(acme.state(), acme.mode())).hasToString("[OPEN, OBSERVE]");
        assertThat(acme.settings()).containsEntry("probes", 3);
    }

    @Test
    void whatKeepsThem_mayThrow_andNobodyIsHurt() {
        CircuitBreaker brittle = story.breaker().build();
        KeptInAMap keeper = new KeptInAMap(1);
        keeper.whenTold = () -> {
            throw new IllegalStateException("no");
        };
        brittle.keyedBy(keeper);

        Story.fail(brittle.forKey("acme"), 3);

        assertThat(brittle.forKey("acme").state()).isEqualTo(CircuitState.OPEN);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void keysThatCannotBeKept_shareTheBreakerOfTheName() {
        CircuitBreaker small = story.breaker().build();
        small.keyedBy(new KeptInAMap(1));
        small.forKey("first");

        assertThat(small.forKey("second")).isSameAs(small);
        assertThat(small.forKey("third")).isSameAs(small);
        assertThat(small.forKey("first").key()).contains("first");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\nb", "a\u0000", "tab\t", "\u0085"})
    void blankOrWithControlCharacters_isNoKey(String key) {
        assertThatThrownBy(() -> llm.forKey(key))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("key must be 1 to 256 characters, not blank and without control characters, but was '"
                        + key.replaceAll("[^ a-z]", "?") + "'");
        assertThat(kept.kept).isEmpty();
    }

    @Test
    void keyOf256Characters_isTheLongest() {
        assertThat(llm.forKey("k".repeat(256)).key()).contains("k".repeat(256));
        assertThatThrownBy(() -> llm.forKey("k".repeat(257)))
                .hasMessage("key must be 1 to 256 characters, not blank and without control characters, but was '"
                        + "k".repeat(40) + "…' of 257");
    }

    @Test
    void registry_findsKeys_makesNone_andListsNames() {
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(CircuitBreaker::builder);
        registry.add(llm);
        CircuitBreaker plain = registry.get("plain");
        CircuitBreaker acme = llm.forKey("acme");

        assertThat(registry.find("llm", "acme")).containsSame(acme);
        assertThat(registry.find("llm", "unknown")).isEmpty();
        assertThat(registry.find("plain", "acme")).isEmpty();
        assertThat(registry.find("nobody", "acme")).isEmpty();
        assertThat(registry.all()).containsExactly(llm, plain);
        assertThat(kept.kept).containsOnlyKeys("acme");
    }

    @Test
    void keys_areGivenOnce_andHaveNoneThemselves() {
        CircuitBreaker plain = CircuitBreaker.of("plain");
        CircuitBreaker acme = llm.forKey("acme");

        assertThatThrownBy(() -> plain.forKey("acme"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "CircuitBreaker[name=plain, state=closed, failures=0/5] has no keys; give it what keeps them by"
                                + " keyedBy, once");
        assertThatThrownBy(() -> llm.keyedBy(kept))
                .hasMessage("CircuitBreaker[name=llm, state=closed, failures=0/3] has its keys already");
        assertThatThrownBy(() -> acme.keyedBy(kept))
                .hasMessage(
                        "CircuitBreaker[name=llm, key=acme, state=closed, failures=0/3] is itself the breaker of a key");
        assertThat(plain.keys()).isEmpty();
        assertThat(llm.keys()).containsSame(kept);
    }

    @Test
    void failureOfACallInFlight_countsForItsKey() {
        CircuitBreaker acme = llm.forKey("acme");
        Permit permit = acme.acquire();
        Story.fail(llm.forKey("acme"), 2);

        permit.failure(new IOException("late"));

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
        assertThat(llm.forKey("acme").state()).isEqualTo(CircuitState.OPEN);
    }
}
