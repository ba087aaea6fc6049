package dev.guardedby.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that is measured: a benchmark method with its policy, by so many threads.
 *
 * @param table the heading under which it is shown
 * @param row who did the work
 * @param reference whether the other rows of the table are compared with this one
 */
record Cell(
        String table,
        String row,
        boolean reference,
        Class<?> type,
        String method,
        @Nullable Policy policy,
        int threads) {
    static final String CALL = "**GuardedBy**";
    static final String RUN = "GuardedBy, `run`";
    static final String RESILIENCE4J = "Resilience4j";
    static final String FLOOR = "floor";

    static final String FAILING = "One call in ten fails";
    static final String REFUSED_CALL = "Refused: the whole call, its exception caught";
    static final String REFUSED_CHECK = "Refused: the check alone";
    static final String MANY = "One of 100,000 breakers, by a random key";
    static final String SPRING = "A Spring bean's method";
    static final String EMPTY_INTERCEPTOR = FLOOR + ": an interceptor that does nothing";
    static final String BUDGETED = "A call that reserves, records what it cost, and settles";

    static final String LEDGER = "GuardedBy, what the ledger in memory does of it";

    static String closed(Policy policy) {
        return "Closed, success: " + policy.words;
    }

    /** All cells; those that are compared with each other stand together. */
    static List<Cell> all() {
        List<Cell> cells = new ArrayList<>();
        for (Policy policy : Policy.values()) {
            for (int threads : new int[] {1, 2, 4}) {
                closed(cells, policy, threads);
            }
        }
        for (int threads : new int[] {1, 2}) {
            failing(cells, threads);
        }
        refused(cells);
        many(cells);
        for (int threads : new int[] {1, 2}) {
            budgeted(cells, threads);
        }
        for (int threads : new int[] {1, 2}) {
            spring(cells, threads);
        }
        return cells;
    }

    private static void closed(List<Cell> cells, Policy policy, int threads) {
        Rows rows = new Rows(cells, closed(policy), ClosedSuccess.class, policy, threads);
        rows.add(
                switch (policy) {
                    case CONSECUTIVE, COUNT_WINDOW -> FLOOR + ": check + count";
                    case TIME_WINDOW -> FLOOR + ": check + count + one clock read";
                    case SLOW_CALLS -> FLOOR + ": check + count + two clock reads";
                },
                "floor");
        rows.reference(CALL, "guardedByCall");
        rows.add(RUN, "guardedByRun");
        if (policy != Policy.CONSECUTIVE) {
            rows.add(RESILIENCE4J, "resilience4j");
        }
        if (policy != Policy.SLOW_CALLS) {
            rows.add("Failsafe", "failsafe");
        }
        if (policy == Policy.COUNT_WINDOW) {
            rows.withoutPolicy().add("SmallRye", "smallRye");
        }
        if (policy == Policy.TIME_WINDOW || policy == Policy.SLOW_CALLS) {
            rows.add("Sentinel", "sentinel");
        }
    }

    private static void failing(List<Cell> cells, int threads) {
        Rows rows = new Rows(cells, FAILING, OneFailureInTen.class, Policy.COUNT_WINDOW, threads);
        rows.add(FLOOR + ": check + count", "floor");
        rows.reference(CALL, "guardedBy");
        rows.add(RESILIENCE4J, "resilience4j");
        rows.add("Failsafe", "failsafe");
        rows.withoutPolicy().add("SmallRye", "smallRye");
        new Rows(cells, FAILING, OneFailureInTen.class, Policy.TIME_WINDOW, threads)
                .add("Sentinel, last 60 s", "sentinel");
    }

    private static void refused(List<Cell> cells) {
        Rows calls = new Rows(cells, REFUSED_CALL, Refused.class, null, 1);
        calls.add(FLOOR + ": an exception without a trace", "callFloorException");
        calls.add(FLOOR + ": one clock read", "checkFloorClock");
        calls.reference(CALL, "callGuardedBy");
        calls.add(RESILIENCE4J, "callResilience4j");
        calls.add(RESILIENCE4J + ", trace switched off", "callResilience4jWithoutTrace");
        calls.add("Failsafe", "callFailsafe");
        calls.add("SmallRye", "callSmallRye");
        calls.add("Sentinel", "callSentinel");

        Rows checks = new Rows(cells, REFUSED_CHECK, Refused.class, null, 1);
        checks.add(FLOOR + ": one clock read", "checkFloorClock");
        checks.reference(CALL + ", `tryAcquire`", "checkGuardedByTryAcquire");
        checks.add("GuardedBy, `canExecute`", "checkGuardedByCanExecute");
        checks.add(RESILIENCE4J + ", `tryAcquirePermission`", "checkResilience4j");
        checks.add("Failsafe, `tryAcquirePermit`", "checkFailsafe");
        checks.add("Sentinel, `SphO.entry`", "checkSentinel");
    }

    private static void many(List<Cell> cells) {
        Rows rows = new Rows(cells, MANY, ManyBreakers.class, null, 2);
        rows.add(FLOOR + ": the map lookup alone", "lookup");
        rows.reference(CALL + ", last 100 calls", "guardedByWindows");
        rows.add("GuardedBy, consecutive failures", "guardedBy");
        rows.add(RESILIENCE4J, "resilience4j");
        rows.add("Failsafe", "failsafe");
        rows.add("SmallRye", "smallRye");
    }

    private static void budgeted(List<Cell> cells, int threads) {
        Rows rows = new Rows(cells, BUDGETED, Budgeted.class, null, threads);
        rows.add(FLOOR + ": the same without a budget", "withoutBudget");
        rows.reference(CALL + ", one budget for ever", "oneLifetime");
        rows.add("GuardedBy, one budget a day", "oneDaily");
        rows.add("GuardedBy, three budgets", "three");
        rows.add(LEDGER, "ledgerAlone");
    }

    private static void spring(List<Cell> cells, int threads) {
        Rows rows = new Rows(cells, SPRING, SpringMethod.class, null, threads);
        rows.add(FLOOR + ": no proxy", "plain");
        rows.add(EMPTY_INTERCEPTOR, "emptyInterceptor");
        rows.reference(CALL, "guardedBy");
        rows.add("GuardedBy, with a fallback (not used)", "guardedByWithFallback");
        rows.add("GuardedBy, with metrics", "guardedByWithMetrics");
        Rows costs = new Rows(cells, SPRING, SpringCost.class, null, threads);
        costs.add("GuardedBy, with a cost recorded", "recorded");
        costs.add("GuardedBy, with a cost expression", "expression");
        rows.add(RESILIENCE4J, "resilience4j");
        rows.add(RESILIENCE4J + ", with a fallback (not used)", "resilience4jWithFallback");
    }

    /** Rows of one table, by one class of benchmarks. */
    private record Rows(
            List<Cell> cells,
            String table,
            Class<?> type,
            @Nullable Policy policy,
            int threads) {
        void add(String row, String method) {
            cells.add(new Cell(table, row, false, type, method, policy, threads));
        }

        void reference(String row, String method) {
            cells.add(new Cell(table, row, true, type, method, policy, threads));
        }

        /** For a library that has one policy and no parameter for it. */
        Rows withoutPolicy() {
            return new Rows(cells, table, type, null, threads);
        }
    }
}
