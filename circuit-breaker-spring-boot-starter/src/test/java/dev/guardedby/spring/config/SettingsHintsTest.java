package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.reflection;

import dev.guardedby.spring.config.GuardedByProperties.Breaker;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.net.SocketTimeoutException;
import java.nio.file.NoSuchFileException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.core.env.MapPropertySource;
import org.springframework.javapoet.ClassName;

/** What a native image is told to keep for the settings. */
final class SettingsHintsTest {
    @Test
    void exceptionsThatSettingsName_areFound() {
        RuntimeHints hints = hintsFor(
                "guardedby.defaults.record-exceptions", "java.io.EOFException, java.io.FileNotFoundException",
                "guardedby.templates.remote.trip-exceptions[0]", "java.util.zip.ZipException",
                "guardedby.templates.remote.trip-exceptions[1]", "${which}",
                "guardedby.breakers[a.b].ignoreExceptions", "java.net.SocketTimeoutException",
                "which", "java.util.concurrent.TimeoutException",
                "unrelated.record-exceptions", "java.nio.file.NoSuchFileException");

        assertThat(List.of(
                        EOFException.class,
                        FileNotFoundException.class,
                        ZipException.class,
                        TimeoutException.class,
                        SocketTimeoutException.class))
                .allMatch(type -> reflection().onType(type).test(hints));
        assertThat(hints).matches(reflection().onType(NoSuchFileException.class).negate());
    }

    @Test
    void settingsThatAreWrongOrIncompleteHere_areLeftToStartUp() {
        RuntimeHints hints = hintsFor(
                "guardedby.breakers.llm.ignore-exceptions", "com.acme.Missing, ${only.there}, java.io.EOFException",
                "guardedby.breakers.llm.failure-threshold", "-1");

        assertThat(hints).matches(reflection().onType(EOFException.class));
    }

    @Test
    void records_areBoundAndRead() throws NoSuchMethodException {
        RuntimeHints hints = hintsFor();

        for (Class<?> type : List.of(GuardedByProperties.class, Breaker.class, GuardedByProperties.Health.class)) {
            assertThat(hints).matches(reflection().onConstructorInvocation(type.getDeclaredConstructors()[0]));
        }
        assertThat(hints)
                .matches(reflection().onMethodInvocation(Breaker.class.getDeclaredMethod("ignoreExceptions")))
                .matches(reflection().onFieldAccess(Breaker.class, "template"));
    }

    private static RuntimeHints hintsFor(String... settings) {
        Map<String, Object> map = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            map.put(settings[i], settings[i + 1]);
        }
        DefaultGenerationContext generation = new DefaultGenerationContext(
                new ClassNameGenerator(ClassName.get(SettingsHintsTest.class)), new InMemoryGeneratedFiles());
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("settings", map));
            context.register(GuardedByAutoConfiguration.class);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
        }
        return generation.getRuntimeHints();
    }
}
