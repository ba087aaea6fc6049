package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Fallback.Choice;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** Finds the fallback of a guarded method when the application starts, and refuses what does not fit. */
final class FallbackResolver {
    private static final Log LOG = LogFactory.getLog(FallbackResolver.class);

    private final Method guarded;
    private final Class<?> beanClass;
    private final String name;
    private final Class<?>[] parameters;
    private final boolean suspending;

    private FallbackResolver(Method guarded, Class<?> beanClass, String name) {
        this.guarded = guarded;
        this.beanClass = beanClass;
        this.name = name;
        this.parameters = Signature.written(guarded, beanClass);
        this.suspending = KotlinDetector.isSuspendingFunction(guarded);
    }

    /**
     * The fallback of that name.
     *
     * @param guarded the guarded method, as the bean's class has it
     * @param beanClass the class of the bean
     * @throws InvalidGuardException if there is none that fits, or two that fit equally well
     */
    static Fallback resolve(Method guarded, Class<?> beanClass, String name) {
        return new FallbackResolver(guarded, beanClass, name).resolve();
    }

    private Fallback resolve() {
        List<Method> bodies = Declarations.bodies(name, beanClass);
        bodies.removeIf(body -> Signature.same(body, guarded, beanClass));
        List<Choice> choices = new ArrayList<>();
        for (Method body : bodies) {
            if (takesTheSame(body)) {
                Choice choice = new Choice(body, exceptionOf(body), suspending);
                Choice rival = rivalOf(choice, choices);
                if (rival == null) {
                    refuseUnlessFitting(body);
                    choices.add(choice);
                } else if (!hides(rival.method(), body)) {
                    throw invalid(
                            "is ambiguous: "
                                    + Stream.of(rival.method(), body)
                                            .map(Signature::qualified)
                                            .sorted()
                                            .collect(Collectors.joining(" and "))
                                    + " fit equally well",
                            "Rename one of them");
                }
            }
        }
        if (choices.isEmpty()) {
            throw invalid(whyNone(bodies), "Write " + examples());
        }
        // Exception types that fit one exception lie on one line of superclasses: the deepest is the nearest.
        choices.sort(
                Comparator.comparingInt((Choice choice) -> depth(choice.type())).reversed());
        for (Choice choice : choices) {
            choice.method().setAccessible(true);
            if (Declaration.on(choice.method()) != null) {
                LOG.warn(Signature.qualified(choice.method()) + " is not guarded where it answers as the fallback of "
                        + Signature.qualified(guarded) + ", although it carries @GuardedBy: it is called on the bean"
                        + " itself. To guard it there, move it to another bean and let the fallback call that.");
            }
        }
        return new Fallback(List.copyOf(choices));
    }

    private boolean takesTheSame(Method body) {
        Class<?>[] taken = Signature.written(body, beanClass);
        boolean more =
                taken.length == parameters.length + 1 && Throwable.class.isAssignableFrom(taken[taken.length - 1]);
        return (more || taken.length == parameters.length)
                && Arrays.equals(parameters, Arrays.copyOf(taken, parameters.length));
    }

    private @Nullable Class<?> exceptionOf(Method body) {
        Class<?>[] taken = Signature.written(body, beanClass);
        return taken.length > parameters.length ? taken[taken.length - 1] : null;
    }

    private static @Nullable Choice rivalOf(Choice choice, List<Choice> choices) {
        for (Choice other : choices) {
            if (other.type() == choice.type()) {
                return other;
            }
        }
        return null;
    }

    // What a class declares hides the same in its superclass and in any interface, and an interface what it extends
    // declares.
    private static boolean hides(Method nearer, Method farther) {
        Class<?> near = nearer.getDeclaringClass();
        Class<?> far = farther.getDeclaringClass();
        return near != far && (!near.isInterface() || far.isAssignableFrom(near));
    }

    private void refuseUnlessFitting(Method body) {
        if (KotlinDetector.isSuspendingFunction(body) && !suspending) {
            throw invalid(
                    "does not fit: " + Signature.of(body) + " suspends, which " + Signature.of(guarded) + " cannot",
                    "Let it suspend nowhere, or make " + Signature.of(guarded) + " a suspend function, too");
        }
        ResolvableType wanted = Signature.result(guarded, beanClass);
        ResolvableType offered = Signature.result(body, beanClass);
        boolean assignable = ClassUtils.isAssignable(wanted.toClass(), offered.toClass())
                || (suspending && Kotlin.isUnit(wanted.toClass()) && offered.toClass() == void.class);
        if (assignable
                && isFullyKnown(wanted)
                && isFullyKnown(offered)
                && !wanted.toClass().isPrimitive()) {
            assignable =
                    wanted.isAssignableFrom(offered) || wanted.getGenerics().length != offered.getGenerics().length;
        }
        if (!assignable) {
            throw invalid(
                    "does not fit: " + Signature.of(body) + " returns " + offered + ", which is not "
                            + ("aeiou".indexOf(wanted.toString().charAt(0)) < 0 ? "a " : "an ") + wanted,
                    "Let it return " + wanted);
        }
        for (Class<?> thrown : body.getExceptionTypes()) {
            if (!declares(guarded, thrown)) {
                throw invalid(
                        "does not fit: " + Signature.of(body) + " declares " + thrown.getName() + ", which callers of "
                                + Signature.of(guarded) + " are not told of",
                        "Declare it on " + Signature.of(guarded) + ", too, or wrap it in the fallback");
            }
        }
    }

    private static boolean declares(Method method, Class<?> thrown) {
        return RuntimeException.class.isAssignableFrom(thrown)
                || Error.class.isAssignableFrom(thrown)
                || Stream.of(method.getExceptionTypes()).anyMatch(declared -> declared.isAssignableFrom(thrown));
    }

    private static boolean isFullyKnown(ResolvableType type) {
        return type.hasGenerics() && !type.hasUnresolvableGenerics();
    }

    private static int depth(@Nullable Class<?> type) {
        int depth = 0;
        for (Class<?> above = type; above != null; above = above.getSuperclass()) {
            depth++;
        }
        return depth;
    }

    private String whyNone(List<Method> bodies) {
        if (bodies.isEmpty()) {
            return name.equals(guarded.getName()) ? "is the guarded method itself" : "does not exist";
        }
        return "does not fit: it must take (" + Signature.list(parameters)
                + "), optionally with an exception as the last,"
                + " but there is only "
                + bodies.stream().map(Signature::of).distinct().sorted().collect(Collectors.joining(" and "));
    }

    private String examples() {
        String returned =
                ClassUtils.getShortName(Signature.result(guarded, beanClass).toClass());
        String list = Signature.list(parameters);
        String without = returned + " " + name + "(" + list + ")";
        String with = returned + " " + name + "(" + list + (list.isEmpty() ? "" : ", ") + "Throwable)";
        return (name.equals(guarded.getName()) ? with : without + " or " + with) + " in "
                + Signature.name(ClassUtils.getUserClass(beanClass));
    }

    private InvalidGuardException invalid(String what, String action) {
        return new InvalidGuardException(
                "The fallback '" + name + "' of " + Signature.qualified(guarded) + " " + what, action);
    }
}
