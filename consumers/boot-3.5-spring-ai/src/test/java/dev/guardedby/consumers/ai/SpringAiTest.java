package dev.guardedby.consumers.ai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.usage.UsageExtractor;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Spring AI 1.1, whose clients are its own: a guarded call costs exactly what the remote says was used. */
class SpringAiTest {
    private static final Map<String, Consumer<Assistant>> CALLS = Map.of(
            "chat", Assistant::chat,
            "stream", assistant -> assistant.stream().blockLast(),
            "ask", Assistant::ask,
            "clientResponse", Assistant::clientResponse,
            "entity", Assistant::entity,
            "embed", Assistant::embed,
            "message", Assistant::message,
            "messageStream", assistant -> assistant.messageStream().blockLast());

    /** Of the 2006 tokens sent, 1920 came from a cache. Anthropic's client does not tell for how long its cache was written. */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            chat           | openai-chat.json       | 2006 in, 300 out, 0.005615 usd
            ask            | openai-chat.json       | 2006 in, 300 out, 0.005615 usd
            clientResponse | openai-chat.json       | 2006 in, 300 out, 0.005615 usd
            entity         | openai-chat.json       | 2006 in, 300 out, 0.005615 usd
            stream         | openai-chat-stream.txt | 19 in, 10 out, 0.00000885 usd
            embed          | openai-embeddings.json | 8 in, 0 out, 0.0000008 usd
            message        | anthropic-message.json | 4096 in, 503 out, 0.015159 usd
            messageStream  | anthropic-stream.txt   | 1025 in, 15 out, 0.0006 usd
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill) {
        try (Remote remote = Remote.answering(payload);
                ConfigurableApplicationContext application = start(remote)) {
            CALLS.get(method).accept(application.getBean(Assistant.class));

            CircuitBreakerStats stats = application
                    .getBean(CircuitBreakerRegistry.class)
                    .find("llm")
                    .orElseThrow()
                    .stats();
            assertThat(stats.totalInputTokens() + " in, " + stats.totalOutputTokens() + " out, "
                            + stats.totalEstimatedCost().toPlainString() + " usd")
                    .isEqualTo(bill);
        }
    }

    @Test
    void imagesAreCounted() {
        try (Remote remote = Remote.answering("openai-images.json");
                ConfigurableApplicationContext application = start(remote)) {
            UsageExtractor reader = application.getBean("guardedBySpringAiUsage", UsageExtractor.class);
            assertThat(reader.extract(application.getBean(Assistant.class).paint())
                            .orElseThrow()
                            .usage())
                    .isEqualTo(Usage.builder().units("image", 2).build());
        }
    }

    /** At most 18 tokens are sent and 100 received each time, for 0.001045 USD. */
    @ParameterizedTest
    @CsvSource({"10, 0.0104, TOO_LARGE", "10, 0.0106, none", "2, 0.002, TOO_LARGE", "2, 0.0022, none"})
    void aCallHolds_whatAllAttemptsOfItsClientMayCost(int attempts, String usd, String refused) {
        try (Remote remote = Remote.answering("openai-chat.json");
                ConfigurableApplicationContext application = start(
                        remote,
                        "--spring.ai.retry.max-attempts=" + attempts,
                        "--guardedby.breakers.llm.budgets.all.usd=" + usd,
                        "--guardedby.breakers.llm.budgets.all.window=lifetime")) {
            Assistant assistant = application.getBean(Assistant.class);
            BudgetExceededException refusal = catchThrowableOfType(BudgetExceededException.class, assistant::askBriefly);
            assertThat(refusal == null ? "none" : refusal.kind().name()).isEqualTo(refused);
        }
    }

    private static ConfigurableApplicationContext start(Remote remote, String... arguments) {
        return new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties("remote=" + remote.url())
                .run(arguments);
    }
}
