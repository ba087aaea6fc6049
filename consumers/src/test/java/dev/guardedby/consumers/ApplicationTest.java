package dev.guardedby.consumers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootVersion;
import reactor.core.publisher.Mono;

/** The one jar in an application on the Spring Boot of this module, which may be older than the one it was compiled with. */
class ApplicationTest {
    private static final String BOOT = System.getProperty("boot.version");

    @Test
    void outage_isCutOffAndRecoveredFrom_inEveryShape() {
        try (Running application = Running.start()) {
            List<String> history = new ArrayList<>();
            history.add(ask(application));
            application.bean(Model.class).become(true);
            for (int i = 0; i < 3; i++) {
                history.add(ask(application));
            }
            history.add(ask(application));
            history.add(application.bean(Assistant.class).askOrApologise("Why?"));
            application.bean(Model.class).become(false);
            application.bean(Application.Time.class).advanceSeconds(30);
            history.add(application.bean(Assistant.class).askOrApologise("Why?"));

            assertThat(history)
                    .containsExactly(
                            "yes",
                            "the model is ill",
                            "the model is ill",
                            "the model is ill",
                            "Circuit breaker 'llm' is open after 3 consecutive failures, next probe in 30.0 s",
                            "no answer to 'Why?', llm is OPEN",
                            "yes");
            assertThat(application.bean(Model.class).calls()).isEqualTo(5);
        }
    }

    @Test
    void stage_isJudgedByHowItCompletes() {
        try (Running application = Running.start()) {
            Assistant assistant = application.bean(Assistant.class);
            assertThat(assistant.pay("Ann").toCompletableFuture().join()).isEqualTo("yes");
            application.bean(Model.class).become(true);
            for (int i = 0; i < 3; i++) {
                CompletableFuture<String> failed = assistant.pay("Ann").toCompletableFuture();
                assertThatThrownBy(failed::join).hasRootCauseMessage("the model is ill");
            }

            CompletableFuture<String> refused = assistant.pay("Ann").toCompletableFuture();
            assertThatThrownBy(refused::join)
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOf(CallNotPermittedException.class)
                    .hasMessageStartingWith("Circuit breaker 'bank' is open after 3 consecutive failures");
        }
    }

    @Test
    void mono_isACallEachTimeSomebodySubscribes() {
        try (Running application = Running.start()) {
            Mono<String> answer = application.bean(Assistant.class).subscribe("Why?");
            assertThat(answer.block()).isEqualTo("yes");
            application.bean(Model.class).become(true);
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(answer::block).hasMessage("the model is ill");
            }

            assertThatThrownBy(answer::block)
                    .isInstanceOf(CallNotPermittedException.class)
                    .hasMessage("Circuit breaker 'stream' is open after 3 consecutive failures, next probe in 30.0 s");
            assertThat(application.bean(Model.class).calls()).isEqualTo(4);
        }
    }

    @Test
    void exceptionNamedInYaml_isIgnored() throws IOException, InterruptedException {
        try (Running application = Running.start()) {
            for (int i = 0; i < 4; i++) {
                assertThatThrownBy(() -> application.bean(Assistant.class).ask(" "))
                        .isExactlyInstanceOf(BadQuestionException.class);
            }

            Map<String, Object> stats = application.read("/actuator/guardedby/llm", "$.stats");
            assertThat(stats)
                    .containsEntry("state", "CLOSED")
                    .containsEntry("totalFailures", 0)
                    .containsEntry("totalIgnored", 4);
        }
    }

    @Test
    void endpoint_metricsAndHealth_tellWhatHappened() throws IOException, InterruptedException {
        try (Running application = Running.start()) {
            ask(application);
            application.bean(Model.class).become(true);
            for (int i = 0; i < 4; i++) {
                ask(application);
            }

            assertThat(application.<String>read("/actuator/guardedby/llm", "$.message"))
                    .isEqualTo("open after 3 consecutive failures, next probe in 30.0 s");
            assertThat(application.<Map<String, Object>>read("/actuator/guardedby/llm", "$.stats"))
                    .containsEntry("totalSuccesses", 1)
                    .containsEntry("totalFailures", 3)
                    .containsEntry("totalRejected", 1)
                    .containsEntry("totalEstimatedCost", 0.004);
            assertThat(application.get("/actuator/prometheus").lines())
                    .contains(
                            "guardedby_state{name=\"llm\",state=\"open\"} 1.0",
                            "guardedby_state{name=\"bank\",state=\"closed\"} 1.0",
                            "guardedby_stats_total_successes{name=\"llm\"} 1.0",
                            "guardedby_stats_total_failures{name=\"llm\"} 3.0",
                            "guardedby_stats_total_estimated_cost{name=\"llm\"} 0.004",
                            "guardedby_stats_total_rejected{name=\"llm\"} 1.0");
            assertThat(application.<String>read("/actuator/health", "$.status")).isEqualTo("UP");
            Map<String, Object> components = application.read("/actuator/health", "$.components");
            if (BOOT.startsWith("3.")) {
                // The one thing that is missing there: Spring Boot 4 moved the interface to another package.
                assertThat(components).containsKey("diskSpace").doesNotContainKey("guardedBy");
            } else {
                assertThat(application.<String>read("/actuator/health", "$.components.guardedBy.details.llm.state"))
                        .isEqualTo("OPEN");
            }
        }
    }

    @Test
    void virtualThreads_areGuardedAsOthersAre() {
        int java = Runtime.version().feature();
        if (java < 21) {
            System.out.println("Skipped virtual threads: Java " + java + " has none, 21 is the first that does");
        }
        assumeTrue(java >= 21);
        try (Running application = Running.start("--spring.threads.virtual.enabled=true")) {
            Model model = application.bean(Model.class);
            List<String> answers = askAtOnce(application, 200);
            model.become(true);
            List<String> refusals = askAtOnce(application, 200);

            assertThat(answers).hasSize(200).containsOnly("yes");
            assertThat(refusals).hasSize(200).contains("no answer to 'Why', llm is OPEN");
            // A failure that found the breaker closed was a call; every other one was refused.
            assertThat(model.calls()).isBetween(203, 399);
            assertThat(model.callers())
                    .isNotEmpty()
                    .allMatch(caller -> caller.toString().startsWith("VirtualThread["));
        }
    }

    @Test
    void springBoot_isThatOfThisModule() {
        assertThat(SpringBootVersion.getVersion()).isEqualTo(BOOT);
    }

    private static List<String> askAtOnce(Running application, int callers) {
        return Stream.generate(() -> application.ask("Why")).limit(callers).toList().stream()
                .map(CompletableFuture::join)
                .toList();
    }

    /** The answer, or what was thrown instead. */
    private static String ask(Running application) {
        try {
            return application.bean(Assistant.class).ask("Why?").text();
        } catch (RuntimeException e) {
            return e.getMessage();
        }
    }
}
