package dev.guardedby.spring.aop;

import dev.guardedby.spring.GuardedBy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotationConfigurationException;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;

/**
 * What one {@link GuardedBy} says, as it was written.
 *
 * @param name the name of the breaker, with its placeholders
 * @param fallback the name of the fallback method, or empty
 * @param cost the cost expression, or empty
 * @param key the key expression, or empty
 * @param place the method or type that carries the annotation
 */
record Declaration(String name, String fallback, String cost, String key, AnnotatedElement place) {

    /** What a method or type itself carries, directly or through an annotation of its own. */
    static @Nullable Declaration on(AnnotatedElement place) {
        List<MergedAnnotation<GuardedBy>> annotations;
        try {
            annotations = MergedAnnotations.from(place).stream(GuardedBy.class)
                    .sorted(Comparator.comparingInt(MergedAnnotation::getDistance))
                    .toList();
        } catch (AnnotationConfigurationException e) {
            throw new InvalidGuardException(
                    "@GuardedBy on " + describe(place) + " cannot be read: " + e.getMessage(),
                    "Give each attribute once; value and name are the same",
                    e);
        }
        if (annotations.isEmpty()) {
            return null;
        }
        Declaration nearest = read(annotations.get(0), place);
        for (MergedAnnotation<GuardedBy> other : annotations) {
            if (other.getDistance() == annotations.get(0).getDistance()) {
                nearest.refuseUnlessSame(read(other, place));
            }
        }
        return nearest;
    }

    private static Declaration read(MergedAnnotation<GuardedBy> annotation, AnnotatedElement place) {
        GuardedBy read = annotation.synthesize();
        return new Declaration(read.name(), read.fallback(), read.cost(), read.key(), place);
    }

    /** Refuses another declaration about the same method that says something else. */
    void refuseUnlessSame(Declaration other) {
        if (name.equals(other.name)
                && fallback.equals(other.fallback)
                && cost.equals(other.cost)
                && key.equals(other.key)) {
            return;
        }
        String action = "Write on the method of the class which of them applies";
        if (place.equals(other.place)) {
            throw new InvalidGuardException(
                    describe(place) + " carries two annotations that say different things: " + this + " and " + other,
                    action);
        }
        throw new InvalidGuardException(
                this + " on " + describe(place) + " and " + other + " on " + describe(other.place)
                        + " say different things about one method",
                action);
    }

    /** Whether the annotation is on a method itself, not on its type. */
    boolean onMethod() {
        return place instanceof Method;
    }

    /** Where the annotation is, for people. */
    String where() {
        return describe(place);
    }

    private static String describe(AnnotatedElement place) {
        return place instanceof Method method ? Signature.qualified(method) : Signature.name((Class<?>) place);
    }

    @Override
    public String toString() {
        String text = "@GuardedBy(name = \"" + name + "\"";
        if (!fallback.isEmpty()) {
            text += ", fallback = \"" + fallback + "\"";
        }
        if (!cost.isEmpty()) {
            text += ", cost = \"" + cost + "\"";
        }
        if (!key.isEmpty()) {
            text += ", key = \"" + key + "\"";
        }
        return text + ")";
    }
}
