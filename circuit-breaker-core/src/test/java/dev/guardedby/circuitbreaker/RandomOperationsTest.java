package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.NaiveBreaker.Rarity;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random operations on a breaker and on {@link NaiveBreaker}: every answer and every number is the same after each.
 *
 * <p>A failure prints its seed and the shortest sequence found that still shows it. To see a seed again:
 * {@code -Dtest=RandomOperationsTest -Drandom.seed=...}, to make more of them: {@code -Drandom.operations=100000000}.
 */
class RandomOperationsTest {
    private static final long OPERATIONS_A_SEED = Long.getLong("random.operations", 200_000);
    private static final int OPERATIONS_A_BREAKER = 300;
    private static final int CALLS_IN_CALLS = 3;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 20260101, -1, 9726049469157L, 27818613469105L})
    void sameAnswersForAFixedSeed(long seed) {
        assertThat(operationsWithoutDifference(seed)).isGreaterThanOrEqualTo(OPERATIONS_A_SEED);
    }

    @Test
    void sameAnswersForASeedNobodyChose() {
        long seed = Long.getLong("random.seed", System.nanoTime());
        assertThat(operationsWithoutDifference(seed)).isGreaterThanOrEqualTo(OPERATIONS_A_SEED);
    }

    @Test
    void theOperationsGoEverywhere() {
        Set<Enum<?>> seen = new HashSet<>();
        Random random = new Random(0);
        int undecided = 0;
        for (int breakers = 0; breakers < 200; breakers++) {
            SideBySide both = new SideBySide(RandomSetup.random(random));
            both.run(RandomOperation.sequence(random, OPERATIONS_A_BREAKER, CALLS_IN_CALLS));
            seen.addAll(both.seen());
            undecided += both.isUndecided() ? 1 : 0;
        }
        assertThat(seen)
                .contains(Cause.values())
                .containsAll(EnumSet.complementOf(EnumSet.of(Reason.BUDGET)))
                .contains(Rarity.values());
        assertThat(undecided).as("sequences that the rules left open").isLessThan(100);
    }

    private static long operationsWithoutDifference(long seed) {
        System.out.println("Random operations with seed " + seed);
        Random random = new Random(seed);
        long operations = 0;
        while (operations < OPERATIONS_A_SEED) {
            RandomSetup setup = RandomSetup.random(random);
            List<RandomOperation> sequence = RandomOperation.sequence(random, OPERATIONS_A_BREAKER, CALLS_IN_CALLS);
            try {
                operations += new SideBySide(setup).run(sequence);
            } catch (RuntimeException | AssertionError found) {
                throw explained(seed, setup, sequence);
            }
        }
        return operations;
    }

    private static AssertionError explained(long seed, RandomSetup setup, List<RandomOperation> sequence) {
        List<RandomOperation> shortest = shortened(sequence, candidate -> difference(setup, candidate) != null);
        String steps = shortest.stream().map(step -> "\n  " + step).collect(Collectors.joining());
        return new AssertionError("seed " + seed + ", " + setup + steps, difference(setup, shortest));
    }

    /** Leaves out what the difference does not need: big pieces first, then single steps, then what is inside of calls. */
    private static List<RandomOperation> shortened(
            List<RandomOperation> sequence, Predicate<List<RandomOperation>> differs) {
        List<RandomOperation> shortest = new ArrayList<>(sequence);
        for (int piece = sequence.size(); piece > 0; piece /= 2) {
            for (int at = 0; at < shortest.size(); ) {
                List<RandomOperation> candidate = new ArrayList<>(shortest);
                candidate.subList(at, Math.min(at + piece, candidate.size())).clear();
                if (differs.test(candidate)) {
                    shortest = candidate;
                } else {
                    at += piece;
                }
            }
        }
        for (int at = 0; at < shortest.size(); at++) {
            RandomOperation call = shortest.get(at);
            int place = at;
            List<RandomOperation> around = shortest;
            List<RandomOperation> inner =
                    shortened(call.inner(), candidate -> differs.test(replaced(around, place, call.around(candidate))));
            shortest = replaced(around, place, call.around(inner));
        }
        return shortest;
    }

    private static List<RandomOperation> replaced(
            List<RandomOperation> sequence, int place, RandomOperation replacement) {
        List<RandomOperation> copy = new ArrayList<>(sequence);
        copy.set(place, replacement);
        return copy;
    }

    private static @Nullable Throwable difference(RandomSetup setup, List<RandomOperation> sequence) {
        try {
            new SideBySide(setup).run(sequence);
            return null;
        } catch (RuntimeException | AssertionError found) {
            return found;
        }
    }
}
