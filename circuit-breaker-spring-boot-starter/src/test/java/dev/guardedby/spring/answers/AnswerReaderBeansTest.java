package dev.guardedby.spring.answers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.HttpAnswer;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.io.File;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Which readers there are: those of the clients on the class path, and the application's own. */
class AnswerReaderBeansTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByAnswersAutoConfiguration.class));

    @ParameterizedTest
    @CsvSource({
        "nothing, RestClient WebClient HttpClient OpenAi Anthropic",
        "org.springframework.web.client, WebClient HttpClient OpenAi Anthropic",
        "org.springframework.web.reactive, RestClient HttpClient OpenAi Anthropic",
        "java.net.http, RestClient WebClient OpenAi Anthropic",
        "com.openai, RestClient WebClient HttpClient Anthropic",
        "com.anthropic, RestClient WebClient HttpClient OpenAi"
    })
    void readers_areThoseOfTheClientsThereAre(String missing, String readers) {
        application
                .withClassLoader(new FilteredClassLoader(missing))
                .run(started -> assertThat(started.getBeanNamesForType(AnswerReader.class))
                        .containsExactly(Arrays.stream(readers.split(" ", -1))
                                .map(client -> "guardedBy" + client + "Answers")
                                .toArray(String[]::new)));
    }

    @Test
    void switchedOff_thereAreNone() {
        application
                .withPropertyValues("guardedby.enabled=false")
                .run(started -> assertThat(started).hasNotFailed().doesNotHaveBean(AnswerReader.class));
    }

    private static AnswerReader paymentRequired(List<Object> asked) {
        return outcome -> {
            asked.add(outcome);
            return Optional.of(new HttpAnswer(402, header -> Optional.empty(), List.of()));
        };
    }

    @Test
    void readerOfTheApplication_joins_forEveryBreaker() {
        List<Object> asked = new ArrayList<>();
        application
                .withBean("own", AnswerReader.class, () -> paymentRequired(asked))
                .withPropertyValues("guardedby.breakers.llm.failure-threshold=9", "guardedby.breakers.off.trip-on=")
                .run(started -> {
                    assertThat(started.getBeanNamesForType(AnswerReader.class)).hasSize(6);
                    CircuitBreakerRegistry breakers = started.getBean(CircuitBreakerRegistry.class);
                    IllegalStateException failure = new IllegalStateException();
                    List<CircuitState> states = new ArrayList<>();
                    for (String name : List.of("llm", "another", "off")) {
                        CircuitBreaker breaker = breakers.get(name);
                        breaker.acquire().failure(failure);
                        states.add(breaker.state());
                    }
                    assertThat(states).containsExactly(CircuitState.OPEN, CircuitState.OPEN, CircuitState.CLOSED);
                    assertThat(asked).containsExactly(failure, failure, failure);
                });
    }

    @Test
    void readerOfOurName_takesThePlaceOfOurs() {
        AnswerReader own = outcome -> Optional.empty();
        application
                .withBean("guardedByOpenAiAnswers", AnswerReader.class, () -> own)
                .run(started -> {
                    assertThat(started.getBeanNamesForType(AnswerReader.class)).hasSize(5);
                    assertThat(started.getBean("guardedByOpenAiAnswers")).isSameAs(own);
                });
    }

    /** Not only hidden from the conditions: the class path does not have them. */
    @Test
    void withoutAnyClient_theStarterStartsAndGuards() throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            File file = new File(entry);
            if (!file.getName()
                    .matches(".*(spring-web|spring-webmvc|spring-webflux|openai|anthropic|okhttp|kotlin|jackson).*")) {
                classPath.add(file.toURI().toURL());
            }
        }
        ClassLoader tests = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader bare =
                new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Thread.currentThread().setContextClassLoader(bare);
            Method start = bare.loadClass(Bare.class.getName()).getDeclaredMethod("start");
            start.setAccessible(true);

            assertThat(start.invoke(null)).isEqualTo("[guardedByHttpClientAnswers] OPEN");
        } finally {
            Thread.currentThread().setContextClassLoader(tests);
        }
    }

    static final class Bare {
        private Bare() {}

        static String start() {
            try (AnnotationConfigApplicationContext application = new AnnotationConfigApplicationContext(
                    GuardedByAutoConfiguration.class, GuardedByAnswersAutoConfiguration.class)) {
                CircuitBreaker breaker =
                        application.getBean(CircuitBreakerRegistry.class).get("llm");
                for (int i = 0; i < breaker.failureThreshold(); i++) {
                    breaker.acquire().failure(new IllegalStateException());
                }
                return new TreeSet<>(List.of(application.getBeanNamesForType(AnswerReader.class))) + " "
                        + breaker.state();
            }
        }
    }
}
