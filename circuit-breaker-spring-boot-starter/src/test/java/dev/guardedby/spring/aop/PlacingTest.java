package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.aop.Placing.Placed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.aop.support.DefaultPointcutAdvisor;

/** Where the neighbours of the guard come to stand, the outermost first. */
final class PlacingTest {
    private final IdentityHashMap<Placed, String> names = new IdentityHashMap<>();

    private List<Placed> stand(String order) {
        return Arrays.stream(order.split(" > ", -1)).map(this::advisor).toList();
    }

    private Placed advisor(String name) {
        Placed placed = new Placed(new DefaultPointcutAdvisor(new Nothing()), kind(name));
        names.put(placed, name);
        return placed;
    }

    /** "retry", or "retry2" for another one; every word that is no kind is something else. */
    private static Neighbour kind(String name) {
        String word = name.replaceAll("\\d", "").toUpperCase(Locale.ROOT);
        return Stream.of(Neighbour.values())
                .filter(kind -> kind.name().equals(word))
                .findFirst()
                .orElse(Neighbour.OTHER);
    }

    private String text(List<Placed> order) {
        return order.stream().map(names::get).collect(Collectors.joining(" > "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fallback > retry > cache > guard > transaction | fallback > retry > cache > guard > transaction",
                "guard | guard",
                "retry > limit | retry > limit",
                "cache > transaction | cache > transaction",
                "retry > fallback > guard | fallback > retry > guard",
                "retry > guard | retry > guard",
                "retry > security > fallback > mine > guard | security > fallback > retry > mine > guard",
                "limit > retry > fallback > guard | fallback > limit > retry > guard",
                "fallback > guard > retry | fallback > retry > guard",
                "fallback > guard > cache > limit | fallback > limit > cache > guard",
                "fallback > retry > cache > mine > guard > limit | fallback > retry > limit > cache > mine > guard",
                "fallback > guard > cache > transaction | fallback > cache > guard > transaction",
                "fallback > guard > transaction > cache | fallback > cache > guard > transaction",
                "fallback > cache > mine > guard | fallback > cache > mine > guard",
                "cache > fallback > mine > guard | fallback > mine > cache > guard",
                "cache > guard > retry | retry > cache > guard",
                "fallback > cache > retry > mine > guard | fallback > retry > mine > cache > guard",
                "transaction > mine > fallback > guard | mine > fallback > guard > transaction",
                "transaction > guard > mine | guard > transaction > mine",
                "retry > async > fallback > guard | async > fallback > retry > guard",
                "security > retry > fallback > guard > async | security > async > fallback > retry > guard",
                "async > security > guard | async > security > guard",
                "transaction > async > guard | async > guard > transaction",
                "limit1 > retry > limit2 > security > fallback > guard > limit3 > transaction > cache"
                        + " | security > fallback > limit1 > retry > limit2 > limit3 > cache > guard > transaction",
            })
    void whatStandsWrong_moves_andNothingElse(String present, String wanted) {
        assertThat(text(Placing.inPlace(stand(present)))).isEqualTo(wanted);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "retry > fallback > cache > mine > guard | retry > cache > mine > fallback > guard",
                "cache > guard > fallback > transaction | cache > fallback > guard > transaction",
                "transaction > guard > cache | transaction > guard > cache",
                "retry > cache | retry > cache",
            })
    void plainOrder_movesTheFallbackAlone(String present, String wanted) {
        assertThat(text(Placing.fallbackBesideGuard(stand(present)))).isEqualTo(wanted);
    }

    @Test
    void whateverTheyComeIn_theyStandInOneOrder_nothingIsLost_andASecondTimeMovesNothing() {
        List<Placed> all = stand("async > fallback > retry > limit > cache > guard > transaction > security");
        // Our own two never change places.
        List<List<Placed>> permutations = permutations(all).stream()
                .filter(present -> present.indexOf(all.get(1)) < present.indexOf(all.get(5)))
                .toList();
        assertThat(permutations).hasSize(40_320 / 2);
        assertThat(permutations.stream()
                        .filter(present -> !isPutInPlace(present))
                        .map(this::text))
                .isEmpty();
    }

    private static boolean isPutInPlace(List<Placed> present) {
        List<Placed> order = Placing.inPlace(present);
        return isInOrder(order)
                && of(Neighbour.OTHER, order).equals(of(Neighbour.OTHER, present))
                && order.size() == present.size()
                && order.containsAll(present)
                && Placing.inPlace(order).equals(order);
    }

    private static boolean isInOrder(List<Placed> order) {
        int at = 0;
        for (Placed placed : order) {
            int rank = switch (placed.kind()) {
                case ASYNC -> 1;
                case FALLBACK -> 2;
                case RETRY, LIMIT -> 3;
                case CACHE -> 4;
                case GUARD -> 5;
                case TRANSACTION -> 6;
                case OTHER -> at;
            };
            if (rank < at) {
                return false;
            }
            at = rank;
        }
        return true;
    }

    private static List<Placed> of(Neighbour kind, List<Placed> order) {
        return order.stream().filter(placed -> placed.kind() == kind).toList();
    }

    private static List<List<Placed>> permutations(List<Placed> all) {
        if (all.isEmpty()) {
            return List.of(List.of());
        }
        List<List<Placed>> permutations = new ArrayList<>();
        for (List<Placed> shorter : permutations(all.subList(1, all.size()))) {
            for (int i = 0; i <= shorter.size(); i++) {
                List<Placed> longer = new ArrayList<>(shorter);
                longer.add(i, all.get(0));
                permutations.add(longer);
            }
        }
        return permutations;
    }

    @Test
    void namesOfNeighbours_areThoseOfClasses() {
        assertThat(Neighbour.KNOWN.keySet())
                .hasSize(18)
                .allSatisfy(
                        name -> assertThat(Class.forName(name, false, getClass().getClassLoader())
                                        .getName())
                                .isEqualTo(name));
    }

    /** An advice of its own each, because advisors are equal if their advices are. */
    static final class Nothing implements MethodInterceptor {
        @Override
        public Object invoke(MethodInvocation invocation) throws Throwable {
            return invocation.proceed();
        }
    }
}
