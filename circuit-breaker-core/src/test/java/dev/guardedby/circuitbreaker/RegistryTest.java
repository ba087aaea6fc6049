package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The breakers of an application, by name. */
final class RegistryTest {
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(name -> {
        told.add("settings " + name);
        return CircuitBreaker.builder(name).failureThreshold(name.length());
    });

    private void listen(CircuitBreakerRegistry to) {
        to.onAdded(breaker -> told.add("added " + breaker.name()));
        to.onRemoved(breaker -> told.add("removed " + breaker.name()));
    }

    @Test
    void breaker_isMadeOnce_fromItsSettings() {
        listen(registry);

        CircuitBreaker llm = registry.get("llm");

        assertThat(llm.name()).isEqualTo("llm");
        assertThat(llm.failureThreshold()).isEqualTo(3);
        assertThat(registry.get("llm")).isSameAs(llm);
        assertThat(registry.find("llm")).containsSame(llm);
        assertThat(told).containsExactly("settings llm", "added llm");
    }

    @Test
    void find_makesNone() {
        listen(registry);

        assertThat(registry.find("llm")).isEmpty();
        assertThat(registry.find("no name at all")).isEmpty();
        assertThat(registry.all()).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void all_isASortedCopy() {
        CircuitBreaker b = registry.get("b");
        CircuitBreaker a = registry.get("a");
        var before = registry.all();
        registry.get("c");

        assertThat(before).containsExactly(a, b);
        assertThat(registry.all()).hasSize(3);
        assertThatThrownBy(() -> registry.all().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void listenerThatComesLater_isToldOfThoseAlreadyThere() {
        registry.get("b");
        registry.get("a");
        told.clear();
        listen(registry);
        assertThat(told).containsExactly("added a", "added b");

        registry.get("c");
        assertThat(told).containsExactly("added a", "added b", "settings c", "added c");
    }

    @Test
    void listeners_areEachToldOnce() {
        listen(registry);
        listen(registry);

        CircuitBreaker llm = registry.get("llm");
        registry.get("llm");
        registry.add(llm);
        registry.add(llm);

        assertThat(told).containsExactly("settings llm", "added llm", "added llm");
    }

    @Test
    void removedBreaker_isToldOnce_andWorksOn() {
        listen(registry);
        CircuitBreaker llm = registry.get("llm");
        told.clear();

        assertThat(registry.remove("llm")).containsSame(llm);
        assertThat(registry.remove("llm")).isEmpty();
        assertThat(registry.remove("never there")).isEmpty();

        assertThat(registry.find("llm")).isEmpty();
        assertThat(told).containsExactly("removed llm");
        Story.trip(llm);
        assertThat(llm.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void nameThatComesAgain_isANewBreaker_andToldAnew() {
        listen(registry);
        CircuitBreaker first = registry.get("llm");
        Story.trip(first);
        registry.remove("llm");

        CircuitBreaker second = registry.get("llm");
        assertThat(second).isNotSameAs(first);
        assertThat(second.state()).isEqualTo(CircuitState.CLOSED);
        registry.remove("llm");
        registry.add(first);

        assertThat(told)
                .containsExactly(
                        "settings llm",
                        "added llm",
                        "removed llm",
                        "settings llm",
                        "added llm",
                        "removed llm",
                        "added llm");
    }

    @Test
    void breakerBuiltElsewhere_joins_unlessItsNameIsTaken() {
        listen(registry);
        CircuitBreaker mine = CircuitBreaker.of("llm");
        registry.add(mine);

        assertThat(registry.get("llm")).isSameAs(mine);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.add(CircuitBreaker.of("llm")))
                .withMessage("name must be unique in a registry, but another circuit breaker is called 'llm'");
        assertThat(registry.all()).containsExactly(mine);
        assertThat(told).containsExactly("added llm");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a/b", "ä", "a:b", "a#b", "llm\n"})
    void badName_isRefused_andMakesNothing(String name) {
        listen(registry);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.get(name))
                .withMessage("name must be 1 to 64 letters, digits, '.', '_' or '-', but was '" + name + "'");

        assertThat(registry.all()).isEmpty();
        assertThat(told).as("the settings were not asked").isEmpty();
    }

    @Test
    void badSettings_failTheCallThatAsked_andTheNextMayBeBetter() {
        List<Integer> thresholds = new ArrayList<>(List.of(0, 2));
        CircuitBreakerRegistry improving =
                CircuitBreakerRegistry.of(name -> CircuitBreaker.builder(name).failureThreshold(thresholds.remove(0)));
        listen(improving);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> improving.get("llm"))
                .withMessage("failure-threshold must be at least 1, but was 0");
        assertThat(improving.find("llm")).isEmpty();

        assertThat(improving.get("llm").failureThreshold()).isEqualTo(2);
        assertThat(told).containsExactly("added llm");
    }

    @Test
    void settingsForAnotherName_areRefused() {
        CircuitBreakerRegistry mistaken = CircuitBreakerRegistry.of(name -> CircuitBreaker.builder("llm"));

        assertThat(mistaken.get("llm").name()).isEqualTo("llm");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> mistaken.get("other"))
                .withMessage("the settings for circuit breaker 'other' must build that name, but built 'llm'");
        assertThat(mistaken.all()).hasSize(1);
    }

    @Test
    @Timeout(20)
    void settings_mayAskTheRegistryForOthers_whereverTheyHash() {
        // Names enough that some share a bin of any hash table; a map that calls back inside its lock would hang or
        // throw.
        CircuitBreakerRegistry[] self = new CircuitBreakerRegistry[1];
        self[0] = CircuitBreakerRegistry.of(name -> {
            int left = Integer.parseInt(name);
            if (left > 0) {
                assertThat(self[0].get(String.valueOf(left - 1)).failureThreshold())
                        .isEqualTo(left);
            }
            return CircuitBreaker.builder(name).failureThreshold(left + 1);
        });

        assertThat(self[0].get("300").failureThreshold()).isEqualTo(301);
        assertThat(self[0].all()).hasSize(301);
    }

    @Test
    void listeners_mayUseTheRegistry() {
        registry.onAdded(breaker -> {
            told.add("added " + breaker.name());
            if (breaker.name().equals("a")) {
                registry.get("b");
                registry.remove("a");
            }
        });
        registry.onRemoved(breaker -> told.add("removed " + breaker.name()));

        CircuitBreaker a = registry.get("a");

        assertThat(a.name()).isEqualTo("a");
        assertThat(registry.all()).extracting(CircuitBreaker::name).containsExactly("b");
        assertThat(told).containsExactly("settings a", "added a", "settings b", "added b", "removed a");
    }

    @Test
    void breakerThatCameWhileItsSettingsWereMade_wins() {
        CircuitBreaker faster = CircuitBreaker.of("llm");
        CircuitBreakerRegistry[] self = new CircuitBreakerRegistry[1];
        self[0] = CircuitBreakerRegistry.of(name -> {
            self[0].add(faster);
            return CircuitBreaker.builder(name);
        });
        listen(self[0]);

        assertThat(self[0].get("llm")).isSameAs(faster);
        assertThat(self[0].all()).containsExactly(faster);
        assertThat(told).containsExactly("added llm");
    }

    @Test
    @Timeout(60)
    void threadsThatAskAtOnce_getOneBreaker_andItIsToldOnce() {
        listen(registry);
        int threads = 8;
        CyclicBarrier together = new CyclicBarrier(threads);
        for (int round = 0; round < 100; round++) {
            String name = "n" + round;
            List<CompletableFuture<CircuitBreaker>> asked = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                CompletableFuture<CircuitBreaker> got = new CompletableFuture<>();
                asked.add(got);
                Thread thread = new Thread(() -> {
                    try {
                        together.await(10, TimeUnit.SECONDS);
                        got.complete(registry.get(name));
                    } catch (Exception e) {
                        got.completeExceptionally(e);
                    }
                });
                thread.start();
            }
            assertThat(asked.stream().map(CompletableFuture::join).distinct()).containsExactly(registry.get(name));
        }

        assertThat(told.stream().filter(line -> line.startsWith("added ")))
                .hasSize(100)
                .doesNotHaveDuplicates();
    }

    @Test
    void missingArguments_areRefused() {
        assertThatNullPointerException().isThrownBy(() -> CircuitBreakerRegistry.of(null));
        assertThatNullPointerException().isThrownBy(() -> registry.get(null));
        assertThatNullPointerException().isThrownBy(() -> registry.find(null));
        assertThatNullPointerException().isThrownBy(() -> registry.add(null));
        assertThatNullPointerException().isThrownBy(() -> registry.onAdded(null));
        assertThatNullPointerException().isThrownBy(() -> registry.onRemoved(null));
        assertThat(registry.all()).isEmpty();
    }

    @Test
    void breakersOfOneRegistry_areIndependent() {
        CircuitBreaker a = registry.get("a");
        CircuitBreaker b = registry.get("b");

        Story.trip(a);

        assertThat(a.timeUntilRetry().orElseThrow()).isLessThanOrEqualTo(Duration.ofMinutes(5));
        assertThat(b.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(b.stats().totalFailures()).isZero();
    }
}
