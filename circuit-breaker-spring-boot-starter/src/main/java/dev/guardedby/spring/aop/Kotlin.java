package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.util.ClassUtils;

/** What start-up asks about Kotlin; it needs none of Kotlin's classes, which may not be there. */
final class Kotlin {
    private static final String FLOW = "kotlinx.coroutines.flow.Flow";
    private static final String DEFERRED = "kotlinx.coroutines.Deferred";

    private Kotlin() {}

    /**
     * Whether a method has that name in its source: if it is internal, or has to do with value classes, Kotlin adds something
     * to it for the JVM.
     */
    static boolean isNamed(Method method, String name) {
        String present = method.getName();
        if (!present.startsWith(name)) {
            return false;
        }
        return present.length() == name.length()
                || ("-$".indexOf(present.charAt(name.length())) >= 0
                        && !method.isSynthetic()
                        && !Modifier.isStatic(method.getModifiers())
                        && KotlinDetector.isKotlinType(method.getDeclaringClass()));
    }

    /** How to make a class of which there can be no subclass one of which there can, as its language says it. */
    static String howToOpen(Class<?> type, String inJava) {
        return KotlinDetector.isKotlinType(type)
                ? "Make it open, with its class, as Kotlin's compiler plugin 'spring' does for annotations of Spring"
                : inJava;
    }

    /** Whether a type is a flow of any kind. */
    static boolean isFlow(Class<?> type) {
        return isSubtype(type, FLOW);
    }

    /** Whether a type is a deferred value of any kind. */
    static boolean isDeferred(Class<?> type) {
        return isSubtype(type, DEFERRED);
    }

    private static boolean isSubtype(Class<?> type, String of) {
        if (type.getName().equals(of)) {
            return true;
        }
        for (Class<?> above : type.getInterfaces()) {
            if (isSubtype(above, of)) {
                return true;
            }
        }
        return type.getSuperclass() != null && isSubtype(type.getSuperclass(), of);
    }

    /** Whether a type is what functions return that return nothing; to Java, they are {@code void}. */
    static boolean isUnit(Class<?> type) {
        return type.getName().equals("kotlin.Unit");
    }

    /** The shape of a suspend function. */
    static Shape shapeOfSuspending(Method method, Class<?> beanClass) {
        Class<?> result = Signature.result(method, beanClass).toClass();
        refuseWithoutBridge(method);
        if (isFlow(result)) {
            refuseUnlessExactly(FLOW, method, result);
            return new SuspendShape(true);
        }
        if (isDeferred(result)
                || Future.class.isAssignableFrom(result)
                || CompletionStage.class.isAssignableFrom(result)
                || ReactiveAdapterRegistry.getSharedInstance().getAdapter(result) != null) {
            throw Shape.invalid(method, result, "Wait for it in the function and let that return the value");
        }
        return new SuspendShape(false);
    }

    /** The shape of a function that returns a flow. */
    static Shape shapeOfFlow(Method method, Class<?> returned) {
        refuseWithoutBridge(method);
        refuseUnlessExactly(FLOW, method, returned);
        return new FlowShape();
    }

    /** The shape of a function that returns a deferred value. */
    static Shape shapeOfDeferred(Method method, Class<?> returned) {
        refuseWithoutBridge(method);
        refuseUnlessExactly(DEFERRED, method, returned);
        return DeferredValues.shape();
    }

    // What is guarded is another object, which would not be of a subtype.
    private static void refuseUnlessExactly(String type, Method method, Class<?> returned) {
        if (!returned.getName().equals(type)) {
            throw Shape.invalid(method, returned, "Let it return " + type);
        }
    }

    /** Refuses where Spring would call the function itself, and take the marker that it has suspended for its result. */
    private static void refuseWithoutBridge(Method method) {
        String missing = isPresent("kotlinx.coroutines.reactor.MonoKt")
                ? ""
                : "org.jetbrains.kotlinx:kotlinx-coroutines-reactor";
        if (!isPresent("kotlin.reflect.full.KCallables")) {
            missing += (missing.isEmpty() ? "" : " and ") + "org.jetbrains.kotlin:kotlin-reflect";
        }
        if (!missing.isEmpty()) {
            throw new InvalidGuardException(
                    "@GuardedBy cannot guard " + Signature.qualified(method) + ": Spring needs " + missing
                            + " to call a coroutine",
                    "Add " + missing + " to the classpath");
        }
    }

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, Kotlin.class.getClassLoader());
    }
}
