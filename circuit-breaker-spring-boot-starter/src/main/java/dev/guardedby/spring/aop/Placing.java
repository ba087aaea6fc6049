package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;

/**
 * Puts the advisors of a guarded bean in order: {@code @Async}, fallback, retries and limits, caches, guard, transactions.
 *
 * <p>Then each attempt is one record, a rejection of this process is none, an answer from a cache is no call, a failed commit
 * counts, and no cache keeps what a fallback said. Numbers cannot say this: Spring's caches and transactions have one in
 * common, and {@code @Async}, {@code @Retryable} and {@code @ConcurrencyLimit} heed none.
 *
 * <p>Only what stands wrong moves, and no further than it must. Whatever we do not know, such as method security, keeps its
 * place beside everything that is not moved: a retry comes to stand inside it, together with the fallback, which must not
 * answer for somebody who has no access.
 */
final class Placing {
    /** An advisor and what it is. */
    record Placed(Advisor advisor, Neighbour kind) {
        static Placed of(Advisor advisor) {
            return new Placed(advisor, Neighbour.of(advisor));
        }

        /** Whether it may have something to do when a method is called. */
        boolean appliesTo(Method method, Class<?> targetClass) {
            if (!(advisor instanceof PointcutAdvisor some)) {
                return true;
            }
            Pointcut pointcut = some.getPointcut();
            return pointcut.getClassFilter().matches(targetClass)
                    && pointcut.getMethodMatcher().matches(method, targetClass);
        }
    }

    private final List<Placed> order;

    private Placing(List<Placed> present) {
        this.order = new ArrayList<>(present);
    }

    /** The same advisors, outermost first, where they should stand. */
    static List<Placed> inPlace(List<Placed> present) {
        Placing placing = new Placing(present);
        if (placing.guard() >= 0) {
            placing.place();
        }
        return placing.order;
    }

    /** The same advisors with the fallback directly outside the guard, and nothing else moved. */
    static List<Placed> fallbackBesideGuard(List<Placed> present) {
        Placing placing = new Placing(present);
        if (placing.guard() >= 0) {
            List<Placed> fallback = placing.take(Neighbour.FALLBACK::equals, 0, placing.order.size());
            placing.order.addAll(placing.guard(), fallback);
        }
        return placing.order;
    }

    /** Their kinds, for people. */
    static String inWords(List<Placed> order) {
        return order.stream()
                .filter(placed -> placed.kind != Neighbour.OTHER)
                .map(placed -> placed.kind.inWords())
                .collect(Collectors.joining(" > "));
    }

    private void place() {
        List<Placed> transactions = take(Neighbour.TRANSACTION::equals, 0, guard());
        order.addAll(guard() + 1, transactions);

        List<Placed> retriesInside = take(Neighbour::isRetryOrLimit, guard(), order.size());
        List<Placed> retriesOutside = take(Neighbour::isRetryOrLimit, 0, find(Neighbour.FALLBACK));
        order.addAll(find(Neighbour.FALLBACK) + 1, retriesOutside);

        List<Placed> caches = take(Neighbour.CACHE::equals, 0, lastOutsideCaches());
        caches.addAll(take(Neighbour.CACHE::equals, guard(), order.size()));
        order.addAll(guard(), caches);
        order.addAll(first(kind -> kind == Neighbour.CACHE || kind == Neighbour.GUARD), retriesInside);

        int outermost = first(Neighbour::belongsOnTheThreadOfTheCall);
        List<Placed> asyncs = take(Neighbour.ASYNC::equals, outermost, order.size());
        order.addAll(outermost, asyncs);
    }

    private int guard() {
        return find(Neighbour.GUARD);
    }

    private int find(Neighbour kind) {
        return first(kind::equals);
    }

    private int first(Predicate<Neighbour> wanted) {
        for (int i = 0; i < order.size(); i++) {
            if (wanted.test(order.get(i).kind)) {
                return i;
            }
        }
        return -1;
    }

    /** The innermost that caches must stand inside of; -1 if there is none. */
    private int lastOutsideCaches() {
        int last = -1;
        for (int i = 0; i < order.size(); i++) {
            Neighbour kind = order.get(i).kind;
            if (kind == Neighbour.FALLBACK || kind.isRetryOrLimit()) {
                last = i;
            }
        }
        return last;
    }

    /** Takes out what is wanted of the places from one to before another; there are none to before -1. */
    private List<Placed> take(Predicate<Neighbour> wanted, int from, int before) {
        List<Placed> taken = new ArrayList<>();
        List<Placed> left = new ArrayList<>();
        for (int i = 0; i < order.size(); i++) {
            Placed placed = order.get(i);
            (i >= from && i < before && wanted.test(placed.kind) ? taken : left).add(placed);
        }
        order.clear();
        order.addAll(left);
        return taken;
    }
}
