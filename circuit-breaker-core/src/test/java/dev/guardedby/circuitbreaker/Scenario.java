package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.CallShape.AsyncDeed;
import dev.guardedby.circuitbreaker.CallShape.AsyncShape;
import dev.guardedby.circuitbreaker.CallShape.PermitShape;
import dev.guardedby.circuitbreaker.CallShape.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call made in one shape that ends in one way.
 *
 * @param answer what the remote does while the call runs
 * @param outcome what the call counts as; null if nobody ever says
 * @param unreported whether its permit was closed without a report
 */
record Scenario(
        String shape,
        String ending,
        Shape call,
        Answer answer,
        @Nullable Outcome outcome,
        boolean unreported) {

    /** All of them, by shape. */
    static Map<String, List<Scenario>> all() {
        List<Scenario> all = new ArrayList<>();
        for (Answer answer : Answer.all()) {
            Outcome outcome = answer.inCallersThread();
            all.add(of("call", CallShape::call, answer, outcome));
            // A run has no result, so no rule is asked about one.
            all.add(of("run", CallShape::run, answer, answer.thrown() == null ? Outcome.SUCCESS : outcome));
            all.add(of("call with a permit", CallShape::callWithPermit, answer, outcome));
            asyncShapes().forEach((name, shape) -> {
                all.add(of(name + ", ended at once", CallShape.atOnce(shape), answer, outcome));
                all.add(of(name + ", ended later", CallShape.later(shape), answer, answer.elsewhere()));
            });
            permitShapes().forEach((name, shape) -> all.add(of(name, CallShape.reported(shape), answer, outcome)));
        }
        for (Answer answer : Answer.successes()) {
            permitShapes().forEach((name, shape) -> all.addAll(ofPermit(name, shape, answer)));
            asyncShapes().forEach((name, shape) -> all.addAll(ofFuture(name, shape, answer)));
        }
        all.addAll(manual());
        Map<String, List<Scenario>> byShape = new LinkedHashMap<>();
        all.forEach(one ->
                byShape.computeIfAbsent(one.shape, shape -> new ArrayList<>()).add(one));
        return byShape;
    }

    private static Scenario of(String shape, Shape call, Answer answer, Outcome outcome) {
        return new Scenario(shape, answer.name(), call, answer, outcome, false);
    }

    private static List<Scenario> ofPermit(String name, PermitShape shape, Answer answer) {
        List<Scenario> all = new ArrayList<>();
        permit(all, name, shape, answer, "success without a result", Outcome.SUCCESS, Permit::success);
        permit(all, name, shape, answer, "ignore", Outcome.IGNORED, Permit::ignore);
        permit(all, name, shape, answer, "cancel", Outcome.IGNORED, Permit::cancel);
        permit(all, name, shape, answer, "success, then everything else", Outcome.SUCCESS, permit -> {
            permit.success();
            everything(permit);
        });
        permit(all, name, shape, answer, "failure, then everything else", Outcome.FAILURE, permit -> {
            permit.failure(new IOException("down"));
            everything(permit);
        });
        permit(all, name, shape, answer, "ignore, then everything else", Outcome.IGNORED, permit -> {
            permit.ignore();
            everything(permit);
        });
        permit(all, name, shape, answer, "never reported", null, permit -> {});
        all.add(new Scenario(
                name,
                "closed, " + answer.name(),
                CallShape.handled(shape, permit -> {
                    permit.close();
                    everything(permit);
                }),
                answer,
                Outcome.IGNORED,
                true));
        return all;
    }

    private static void permit(
            List<Scenario> all,
            String name,
            PermitShape shape,
            Answer answer,
            String ending,
            @Nullable Outcome outcome,
            Consumer<Permit> deed) {
        all.add(new Scenario(
                name, ending + ", " + answer.name(), CallShape.handled(shape, deed), answer, outcome, false));
    }

    private static void everything(Permit permit) {
        permit.success();
        permit.success("error");
        permit.failure(new IOException("down"));
        permit.ignore();
        permit.cancel();
        permit.close();
    }

    private static List<Scenario> ofFuture(String name, AsyncShape shape, Answer answer) {
        List<Scenario> all = new ArrayList<>();
        all.add(new Scenario(
                name, "null stage, " + answer.name(), CallShape.nullStage(shape), answer, Outcome.FAILURE, false));
        future(all, name, shape, answer, "stage never ends", null, (future, stage) -> {});
        future(
                all,
                name,
                shape,
                answer,
                "stage cancelled by its owner",
                Outcome.FAILURE,
                (future, stage) -> stage.cancel(true));
        future(
                all,
                name,
                shape,
                answer,
                "future cancelled by the caller",
                Outcome.IGNORED,
                (future, stage) -> future.cancel(true));
        future(
                all,
                name,
                shape,
                answer,
                "future timed out",
                Outcome.FAILURE,
                (future, stage) -> CallShape.timesOut(future));
        future(all, name, shape, answer, "future completed from outside", Outcome.IGNORED, (future, stage) -> {
            future.complete("substitute");
            stage.complete("too late");
        });
        future(all, name, shape, answer, "future failed from outside", Outcome.IGNORED, (future, stage) -> {
            future.completeExceptionally(new IOException("gave up"));
            stage.completeExceptionally(new IOException("too late"));
        });
        future(all, name, shape, answer, "future cancelled too late", Outcome.SUCCESS, (future, stage) -> {
            stage.complete("in time");
            future.cancel(true);
        });
        return all;
    }

    private static void future(
            List<Scenario> all,
            String name,
            AsyncShape shape,
            Answer answer,
            String ending,
            @Nullable Outcome outcome,
            AsyncDeed deed) {
        all.add(new Scenario(
                name, ending + ", " + answer.name(), CallShape.handled(shape, deed), answer, outcome, false));
    }

    private static List<Scenario> manual() {
        String name = "canExecute";
        return List.of(
                new Scenario(
                        name,
                        "recordSuccess",
                        asked(CircuitBreaker::recordSuccess),
                        Answer.SUCCESS,
                        Outcome.SUCCESS,
                        false),
                new Scenario(
                        name,
                        "recordFailure",
                        asked(CircuitBreaker::recordFailure),
                        Answer.SUCCESS,
                        Outcome.FAILURE,
                        false),
                new Scenario(name, "never reported", asked(breaker -> {}), Answer.SUCCESS, null, false));
    }

    private static Shape asked(Consumer<CircuitBreaker> report) {
        return (breaker, remote) -> {
            if (!breaker.canExecute()) {
                return CallShape.REFUSED;
            }
            Object result = remote.answer();
            report.accept(breaker);
            return result;
        };
    }

    private static Map<String, AsyncShape> asyncShapes() {
        Map<String, AsyncShape> shapes = new LinkedHashMap<>();
        shapes.put("callAsync", CallShape::async);
        shapes.put("callAsync with a permit", CallShape::asyncWithPermit);
        return shapes;
    }

    private static Map<String, PermitShape> permitShapes() {
        Map<String, PermitShape> shapes = new LinkedHashMap<>();
        shapes.put("acquire", CircuitBreaker::acquire);
        shapes.put("acquire(Cost)", breaker -> breaker.acquire(Cost.usd("0.01")));
        shapes.put("tryAcquire", breaker -> breaker.tryAcquire().orElse(null));
        shapes.put(
                "tryAcquire(Cost)",
                breaker -> breaker.tryAcquire(Cost.usd("0.01")).orElse(null));
        shapes.put("acquireAsync", breaker -> CallShape.acquired(breaker.acquireAsync(Cost.ZERO)));
        return shapes;
    }
}
