package dev.guardedby.spring.actuate;

import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.InvocationContext;
import org.springframework.boot.actuate.endpoint.OperationType;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvoker;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvokerAdvisor;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameter;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameters;

/**
 * Refuses an action with a parameter that the endpoint does not have. Actuator drops it, and with a misspelt {@code key} what
 * was meant for one key would be done to all.
 *
 * <p>It is for HTTP alone: over JMX the parameters have places and no names.
 */
final class KnownParameters implements OperationInvokerAdvisor {
    private static final String IN_PATH = "name";

    @Override
    public OperationInvoker apply(
            EndpointId endpoint, OperationType operation, OperationParameters parameters, OperationInvoker invoker) {
        if (!endpoint.equals(GuardedByEndpoint.ID) || operation != OperationType.WRITE) {
            return invoker;
        }
        List<String> known = StreamSupport.stream(parameters.spliterator(), false)
                .map(OperationParameter::getName)
                .filter(name -> !name.equals(IN_PATH))
                .toList();
        return context -> {
            Optional<String> refusal = unknown(context, known).or(() -> empty(context, known));
            return refusal.isPresent() ? GuardedByWebExtension.badRequest(refusal.get()) : invoker.invoke(context);
        };
    }

    private static Optional<String> unknown(InvocationContext context, List<String> known) {
        return context.getArguments().keySet().stream()
                .filter(name -> !name.equals(IN_PATH) && !known.contains(name))
                .findFirst()
                .map(unknown -> refusal(unknown, known));
    }

    // As of a variable that a script has not set: no key is not the same as all of them. JMX passes each parameter
    // there is,
    // null for those that were not given.
    private static Optional<String> empty(InvocationContext context, List<String> known) {
        if (context.getArguments().keySet().containsAll(known)) {
            return Optional.empty();
        }
        return context.getArguments().entrySet().stream()
                .filter(argument -> argument.getValue() == null)
                .findFirst()
                .map(argument -> "'" + argument.getKey() + "' is null; give it a value, or leave it out");
    }

    private static String refusal(String unknown, List<String> known) {
        return "'" + unknown + "' is not a parameter; "
                + ConfiguredBreakers.nearest(unknown, known)
                        .map(meant -> "did you mean " + meant + "?")
                        .orElseGet(() -> "there are " + String.join(", ", known));
    }
}
