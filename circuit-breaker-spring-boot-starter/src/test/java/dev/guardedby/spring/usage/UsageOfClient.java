package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.TokenKind;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/**
 * What is booked when a client reads what its remotes are documented to answer, and what holds for every client.
 *
 * @param <C> has the guarded methods, all of them guarded by {@code llm}
 */
abstract class UsageOfClient<C> {
    /** Of the one test that runs. */
    static Provider provider;

    private final Class<C> client;
    private final Map<String, Consumer<C>> calls;

    /**
     * Of a client.
     *
     * @param calls its guarded methods by name; {@code chat} asks OpenAI's model and {@code message} Anthropic's
     */
    UsageOfClient(Class<C> client, Map<String, Consumer<C>> calls) {
        this.client = client;
        this.calls = calls;
    }

    @BeforeAll
    static void serve() throws IOException {
        provider = new Provider();
    }

    @AfterAll
    static void stop() {
        provider.close();
    }

    ApplicationContextRunner application() {
        return Bills.application(client);
    }

    /** Makes a guarded call, which the remote answers with a payload. */
    void call(ApplicationContext context, String method, String payload) {
        provider.answers(payload);
        Objects.requireNonNull(calls.get(method), method).accept(context.getBean(client));
    }

    void assertBooked(String method, String payload, String bill, String lost) {
        application().run(context -> {
            call(context, method, payload);
            assertThat(bill(context, "llm")).isEqualTo(bill);
            assertThat(lost(context, "llm")).hasToString(lost);
        });
    }

    @Test
    void issue16_providersThatCountTheCacheIn_andThoseThatDoNot_costTheSame() {
        application().run(context -> {
            call(context, "chat", "openai-chat-cached.json");
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.00342 usd");
            call(context, "message", "anthropic-message-cached.json");
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.00684 usd");
        });
    }

    @Test
    void issue29_missingUsage_isUnknown_andNeverFailsTheCall() {
        assertBooked("chat", "openai-chat-without-usage.json", "0 in, 0 out, 0 usd", "{usage=1}");
    }

    @Test
    void aModelThatHasAPriceOnlyAsItsProviders_isFound() {
        application(Map.of("openai/house", "1", "anthropic/house", "10", "azure/house", "999"))
                .run(context -> {
                    call(context, "chat", "openai-chat-cached.json");
                    assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0011 usd");
                    call(context, "message", "anthropic-message-cached.json");
                    assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.0121 usd");
                    assertThat(lost(context, "llm")).isEmpty();
                });
    }

    @Test
    void aModelOfNoProvider_hasItsPriceBeforeThatOfAnotherProvider_andAfterThatOfItsOwn() {
        application(Map.of("house", "1", "azure/house", "999", "anthropic/house", "10"))
                .run(context -> {
                    call(context, "chat", "openai-chat-cached.json");
                    assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0011 usd");
                    call(context, "message", "anthropic-message-cached.json");
                    assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.0121 usd");
                });
    }

    @Test
    void aModelThatHasAPriceOnlyAsAnotherProviders_hasNone() {
        application(Map.of("azure/house", "999")).run(context -> {
            call(context, "chat", "openai-chat-cached.json");
            call(context, "message", "anthropic-message-cached.json");
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("price", 2L));
        });
    }

    /** With these prices of a million tokens of any kind. */
    private ApplicationContextRunner application(Map<String, String> usdByModel) {
        PriceBook book = PriceBook.of(usdByModel.entrySet().stream()
                .map(price -> price(price.getKey(), new BigDecimal(price.getValue())))
                .toList());
        return application().withBean(Prices.class, () -> Prices.from(() -> book));
    }

    private static ModelPrice price(String model, BigDecimal usd) {
        return ModelPrice.builder(model)
                .price(TokenKind.INPUT, usd)
                .price(TokenKind.OUTPUT, usd)
                .build();
    }
}
