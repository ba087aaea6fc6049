package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.reflection;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.GuardedBy;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.javapoet.ClassName;

/** What a native image is told to keep of guarded beans. */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name, what expressions read too
final class GuardHintsTest {
    @Test
    void fallbacks_ofEveryVisibilityAndPlace_areInvoked() {
        RuntimeHints hints = hintsFor(Assistant.class);

        assertThat(hints)
                .matches(invokes(Assistant.class, "canned", String.class))
                .matches(invokes(Assistant.class, "canned", String.class, IllegalStateException.class))
                .matches(invokes(Base.class, "inherited", String.class))
                .matches(invokes(Polite.class, "decline", String.class))
                .matches(invokes(Assistant.class, "unrelated", String.class).negate());
    }

    @Test
    void hierarchyOfGuardedBeans_isLookedThrough() {
        assertThat(hintsFor(Assistant.class))
                .matches(reflection().onType(Assistant.class))
                .matches(reflection().onType(Base.class))
                .matches(reflection().onType(Polite.class));
    }

    @Test
    void expression_mayReadWhatItNames_ofResultAndArguments() {
        RuntimeHints hints = hintsFor(Costly.class);

        assertThat(hints)
                // #result.usage.total * #question.price
                .matches(invokes(Answer.class, "usage"))
                .matches(invokes(Usage.class, "getTotal"))
                .matches(reflection().onFieldAccess(Question.class, "price"))
                .matches(invokes(Answer.class, "text").negate())
                .matches(invokes(Usage.class, "getHidden").negate());
    }

    @Test
    void expression_mayReadWhatIsInsideOfStagesListsAndArrays() {
        RuntimeHints hints = hintsFor(Costly.class);

        assertThat(hints)
                // #result.![tokens].size(), #result is a List<Choice> in a stage
                .matches(invokes(Choice.class, "tokens"))
                .matches(invokes(List.class, "size"))
                // #p0[0].length()
                .matches(invokes(String.class, "length"));
    }

    @Test
    void expression_mayReadWhatTheBeansClassMakesOfTypeVariables() {
        assertThat(hintsFor(OfShapes.class))
                .matches(invokes(Circle.class, "area"))
                .matches(invokes(Square.class, "area"));
    }

    @Test
    void expression_mayUseTypesThatItNames() throws NoSuchMethodException {
        assertThat(hintsFor(Costly.class))
                .matches(invokes(Cost.class, "of", long.class, long.class, BigDecimal.class))
                .matches(reflection().onConstructorInvocation(BigDecimal.class.getConstructor(String.class)))
                .matches(invokes(Math.class, "max", long.class, long.class));
    }

    @Test
    void whatCannotWork_isLeftToStartUp() {
        RuntimeHints hints = hintsFor(Broken.class);

        assertThat(hints.reflection().typeHints().map(hint -> hint.getType().getSimpleName()))
                .contains("Broken");
    }

    @Test
    void beansWithoutGuards_areNotMentioned() {
        assertThat(hintsFor(Unguarded.class))
                .matches(invokes(Unguarded.class, "canned").negate());
    }

    private static RuntimeHints hintsFor(Class<?> bean) {
        DefaultGenerationContext generation = new DefaultGenerationContext(
                new ClassNameGenerator(ClassName.get(GuardHintsTest.class)), new InMemoryGeneratedFiles());
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.register(bean);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
        }
        return generation.getRuntimeHints();
    }

    private static Predicate<RuntimeHints> invokes(Class<?> type, String method, Class<?>... parameters) {
        try {
            return reflection().onMethodInvocation(type.getDeclaredMethod(method, parameters));
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    interface Polite {
        @GuardedBy(name = "llm", fallback = "decline") default String politely(String question) {
            return question;
        }

        default String decline(String question) {
            return "sorry";
        }
    }

    static class Base {
        String inherited(String question) {
            return "inherited";
        }
    }

    static class Assistant extends Base implements Polite {
        @GuardedBy(name = "llm", fallback = "canned") public String ask(String question) {
            return question;
        }

        @GuardedBy(name = "llm", fallback = "inherited") public String other(String question) {
            return question;
        }

        private String canned(String question) {
            return "canned";
        }

        private String canned(String question, IllegalStateException failure) {
            return "canned";
        }

        private String unrelated(String question) {
            return "unrelated";
        }
    }

    record Answer(String text, Usage usage) {}

    public static class Usage {
        public int getTotal() {
            return 1;
        }

        public int getHidden() {
            return 1;
        }
    }

    public static class Question {
        public final int price = 1;
    }

    record Choice(int tokens) {}

    static class Costly {
        @GuardedBy(name = "llm", cost = "#result.usage.total * #question.price") public @Nullable Answer ask(Question question) {
            return null;
        }

        @GuardedBy(name = "llm", cost = "#result.![tokens].size()")
        public @Nullable CompletionStage<List<Choice>> later() {
            return null;
        }

        @GuardedBy(name = "llm", cost = "#p0[0].length()")
        public String all(String[] questions) {
            return "";
        }

        @GuardedBy(
                name = "llm",
                cost =
                        "T(dev.guardedby.circuitbreaker.Cost).of(#result, T(Math).max(#a0, 1), new java.math.BigDecimal('0.1'))")
        public long named(long tokens) {
            return tokens;
        }
    }

    sealed interface Shape permits Circle, Square {}

    record Circle(int area) implements Shape {}

    record Square(int area) implements Shape {}

    static class Generic<T> {
        @GuardedBy(name = "llm", cost = "#result.area") public @Nullable T of(Map<String, T> known) {
            return null;
        }
    }

    static class OfShapes extends Generic<Shape> {}

    static class Broken {
        @GuardedBy(name = "llm", fallback = "nowhere", cost = "#result.(") public String ask() {
            return "";
        }
    }

    static class Unguarded {
        private String canned() {
            return "canned";
        }
    }
}
