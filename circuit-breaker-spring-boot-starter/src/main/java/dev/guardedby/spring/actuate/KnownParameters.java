package dev.guardedby.spring.actuate;

import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.InvocationContext;
import org.springframework.boot.actuate.endpoint.OperationType;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvoker;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvokerAdvisor;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameter;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameters;
import org.springframework.boot.actuate.endpoint.web.WebServerNamespace;

/**
 * Refuses a request with a parameter that our endpoints do not have. Actuator drops it, and with a misspelt {@code key} what was
 * meant for one key would be done to all, or all would be shown for one.
 *
 * <p>It is for HTTP alone: over JMX the parameters have places and no names, and all of them are passed, null for those that were
 * not given.
 */
final class KnownParameters implements OperationInvokerAdvisor {
    private static final Set<EndpointId> OURS = Set.of(GuardedByEndpoint.ID, GuardedByPricesEndpoint.ID);
    private static final String IN_PATH = "name";

    @Override
    public OperationInvoker apply(
            EndpointId endpoint, OperationType operation, OperationParameters parameters, OperationInvoker invoker) {
        if (!OURS.contains(endpoint)) {
            return invoker;
        }
        List<String> known = StreamSupport.stream(parameters.spliterator(), false)
                .map(OperationParameter::getName)
                .toList();
        return context -> {
            Optional<String> refusal = isOverHttp(context) ? refusal(context.getArguments(), known) : Optional.empty();
            return refusal.isPresent() ? GuardedByWebExtension.badRequest(refusal.get()) : invoker.invoke(context);
        };
    }

    /** The web alone knows which of its servers was asked. */
    private static boolean isOverHttp(InvocationContext context) {
        return context.canResolve(WebServerNamespace.class);
    }

    private static Optional<String> refusal(Map<String, Object> arguments, List<String> known) {
        for (Map.Entry<String, Object> argument : arguments.entrySet()) {
            if (!known.contains(argument.getKey())) {
                return Optional.of(unknown(argument.getKey(), known));
            }
            // As of a variable that a script has not set: no key is not the same as all of them.
            if (argument.getValue() == null) {
                return Optional.of("'" + argument.getKey() + "' is null; give it a value, or leave it out");
            }
        }
        return Optional.empty();
    }

    private static String unknown(String unknown, List<String> known) {
        List<String> others =
                known.stream().filter(name -> !name.equals(IN_PATH)).toList();
        return "'" + unknown + "' is not a parameter; "
                + ConfiguredBreakers.nearest(unknown, others)
                        .map(meant -> "did you mean " + meant + "?")
                        .orElseGet(() -> "there are " + (others.isEmpty() ? "none" : String.join(", ", others)));
    }
}
