package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** An operator looks at prices, and has them read again: a real server, a real client, Spring MVC and WebFlux. */
@ParameterizedClass
@EnumSource(names = {"SERVLET", "REACTIVE"})
@ExtendWith(OutputCaptureExtension.class)
record PricesOverHttpTest(WebApplicationType kind) {
    private static final String BOOK = """
            {
              "sample_spec": {"mode": "chat"},
              "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "vector_store_cost_per_gb_per_day": 0.1,
                "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05, "input_cost_per_token_batches": 1.25e-06,
                "input_cost_per_token_above_200k_tokens": 5e-06},
              "dear": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 0.5},
              "gift": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0}
            }""";

    private static Path file;
    private static HttpApplication application;

    @BeforeParameterizedClassInvocation
    static void start(WebApplicationType kind) throws IOException {
        file = Files.writeString(Files.createTempFile("prices", ".json"), BOOK);
        application = HttpApplication.start(
                kind,
                "management.endpoint.guardedbyprices.access=unrestricted",
                "guardedby.prices.import=" + file.toUri(),
                "guardedby.prices.models[0].model=house-model",
                "guardedby.prices.models[0].aliases=house",
                "guardedby.prices.models[0].from=2026-07-01",
                "guardedby.prices.models[0].input=100",
                "guardedby.prices.models[0].output=0.0000001",
                "guardedby.prices.models[0].units.image=0.04",
                "guardedby.prices.models[1].model=unborn",
                "guardedby.prices.models[1].from=9999-01-01",
                "guardedby.prices.models[1].input=1");
    }

    @AfterParameterizedClassInvocation
    static void stop() throws IOException {
        application.close();
        Files.deleteIfExists(file);
    }

    @BeforeEach
    void asAtStart() throws Exception {
        Files.writeString(file, BOOK);
        assertThat(reload().status()).isEqualTo(200);
    }

    private static Response get(String query) throws Exception {
        return application.get("/guardedbyprices" + query);
    }

    private static Response model(String name) throws Exception {
        return get("?model=" + URLEncoder.encode(name, StandardCharsets.UTF_8));
    }

    private static Response reload() throws Exception {
        return application.post("/guardedbyprices", "");
    }

    private static Response refused(int status, String error) {
        return new Response(status, "{\"error\":\"" + error + "\"}");
    }

    private static Optional<BigDecimal> usdOfAMillion(String model) {
        return application
                .bean(Prices.class)
                .current()
                .price(ModelUsage.of(model, Usage.of(1_000_000, 0)), Instant.now())
                .map(Cost::usd);
    }

    @Test
    void document_tellsWhereThePricesComeFrom_andWhatWasSkipped() throws Exception {
        String json = get("").body();
        String readAt = field(json, "readAt");

        assertThat(json)
                .isEqualTo("{\"source\":\"configuration\",\"models\":4,\"readAt\":\"" + readAt + "\",\"written\":2,"
                        + "\"imported\":{\"from\":\"" + file.toUri() + "\",\"models\":2,"
                        + "\"skipped\":{\"count\":1,\"some\":{\"gift\":\"" + field(json, "imported.skipped.some.gift")
                        + "\"},\"reasons\":{\"" + field(json, "imported.skipped.some.gift") + "\":1}},"
                        + "\"unusedKeys\":{\"count\":1,\"some\":{\"vector_store_cost_per_gb_per_day\":1}}},"
                        + "\"outliers\":{\"count\":2,\"some\":[\"output of 'dear' is 500000, its input is 1\","
                        + "\"output of 'house-model' is 0.0000001, its input is 100\"]}}");
        assertThat(Instant.parse(readAt)).isBeforeOrEqualTo(Instant.now());
    }

    @Test
    void listsAreBounded_andTheirLengthIsTold() throws Exception {
        StringBuilder gifts = new StringBuilder("{\"m\": {\"input_cost_per_token\": 1e-06}");
        for (int i = 0; i < 1_000; i++) {
            gifts.append(",\"gift").append(i).append("\": {\"input_cost_per_token\": 0}");
        }
        Files.writeString(file, gifts + "}");

        String json = reload().body();

        assertThat(field(json, "imported.skipped.count")).isEqualTo("1000");
        assertThat(field(json, "imported.skipped.some.length()")).isEqualTo("20");
        assertThat(field(json, "imported.skipped.reasons")).endsWith(":1000}");
        assertThat(json).hasSizeLessThan(4_000);
    }

    @Test
    void modelThatIsAskedFor_isAnsweredWithTheEntryThatHasItsPrices() throws Exception {
        List<String> found = new ArrayList<>();
        for (String name : List.of(
                "gpt-4o",
                "GPT-4o",
                "gpt-4o-2024-08-06",
                "openai/gpt-4o",
                "openrouter/openai/gpt-4o-2024-08-06",
                "house",
                "us.acme.house")) {
            String json = model(name).body();
            found.add(field(json, "model") + ": " + field(json, "match") + " of " + field(json, "entry") + " in "
                    + field(json, "source"));
        }

        assertThat(found)
                .containsExactly(
                        "gpt-4o: NAME of gpt-4o in " + file.toUri(),
                        "GPT-4o: NAME of gpt-4o in " + file.toUri(),
                        "gpt-4o-2024-08-06: SNAPSHOT of gpt-4o in " + file.toUri(),
                        "openai/gpt-4o: WITHOUT_PROVIDER of gpt-4o in " + file.toUri(),
                        "openrouter/openai/gpt-4o-2024-08-06: SNAPSHOT of gpt-4o in " + file.toUri(),
                        "house: ALIAS of house-model in guardedby.prices.models",
                        "us.acme.house: WITHOUT_PROVIDER of house-model in guardedby.prices.models");
    }

    @Test
    void pricesOfAModel_areThoseThatACallWouldGet() throws Exception {
        assertThat(model("house-model").body())
                .isEqualTo("{\"model\":\"house-model\",\"entry\":\"house-model\",\"match\":\"NAME\","
                        + "\"source\":\"guardedby.prices.models\",\"from\":\"2026-07-01T00:00:00Z\",\"inputTokens\":0,"
                        + "\"usdPerMillion\":{\"standard\":{\"input\":100,\"cached-input\":100,\"cache-write\":100,"
                        + "\"cache-write-1h\":100,\"output\":1E-7,\"reasoning\":1E-7,\"audio-input\":100,"
                        + "\"audio-output\":1E-7}},\"usdPerUnit\":{\"image\":0.04}}");
        assertThat(field(get("?model=gpt-4o").body(), "usdPerMillion"))
                .startsWith("{\"standard\":{\"input\":2.5,\"cached-input\":2.5,")
                .contains("\"batch\":{\"input\":1.25,")
                .doesNotContain("flex", "priority");
        assertThat(field(get("?model=gpt-4o&inputTokens=200001").body(), "usdPerMillion.standard.input"))
                .isEqualTo("5");
    }

    @Test
    void modelWithoutAPrice_is404_andNamesTheOneThatWasMeant() throws Exception {
        assertThat(List.of(model("gtp-4o"), model("gpt-4o-mini"), model("unborn")))
                .containsExactly(
                        refused(404, "model 'gtp-4o' has no price; did you mean gpt-4o?"),
                        refused(404, "model 'gpt-4o-mini' has no price; models with prices: 4"),
                        refused(404, "model 'unborn' has no price before 9999-01-01T00:00:00Z"));
        assertThat(model("m".repeat(300))).isEqualTo(refused(404, "model '" + "m".repeat(300) + "' has no price"));
    }

    @Test
    void wrongParameter_is400_andSaysWhy() throws Exception {
        assertThat(List.of(
                        get("?modle=gpt-4o"),
                        get("?model=gpt-4o&inputTokens=many"),
                        get("?model=gpt-4o&inputTokens=-1"),
                        get("?inputTokens=1"),
                        application.post("/guardedbyprices", "{\"action\":\"reload\"}")))
                .containsExactly(
                        refused(400, "'modle' is not a parameter; did you mean model?"),
                        refused(400, "inputTokens must be a whole number, at least 0, but was 'many'"),
                        refused(400, "inputTokens must be a whole number, at least 0, but was '-1'"),
                        refused(400, "inputTokens goes with model, but model was missing"),
                        refused(400, "'action' is not a parameter; there are none"));
    }

    @Test
    void reload_putsTheFileInForce_andABadFileLeavesTheOldBook(CapturedOutput output) throws Exception {
        String readAtFirst = field(get("").body(), "readAt");
        Files.writeString(file, "{\"gpt-4o\": {\"input_cost_per_token\": 3e-06}}");

        Response reloaded = reload();
        assertThat(reloaded.status()).isEqualTo(200);
        assertThat(field(reloaded.body(), "models")).isEqualTo("3");
        assertThat(reloaded.body()).isEqualTo(get("").body());
        assertThat(Instant.parse(field(reloaded.body(), "readAt"))).isAfter(Instant.parse(readAtFirst));
        assertThat(usdOfAMillion("gpt-4o")).contains(new BigDecimal("3"));

        Files.writeString(file, "{\n\"gpt-4o\": {\"input_cost_per_token\": []}}");
        assertThat(reload())
                .isEqualTo(refused(
                        400,
                        "guardedby.prices.import: " + file.toUri()
                                + ", line 2: 'input_cost_per_token' of model 'gpt-4o'"
                                + " must be a number, but was a list or an object; the prices in force stay"));
        Files.delete(file);
        assertThat(reload().body()).contains("cannot be read").contains("; the prices in force stay");
        assertThat(usdOfAMillion("gpt-4o")).contains(new BigDecimal("3"));
        assertThat(get("").body()).isEqualTo(reloaded.body());
        assertThat(output.toString().lines().filter(line -> line.contains("Operator's action on prices")))
                .hasSize(2)
                .last()
                .asString()
                .endsWith("Operator's action on prices: reload, models with prices now: 3");
    }

    @Test
    void readOnly_isTheDefault_andWithoutPricesThereIsLittleToTell() throws Exception {
        try (HttpApplication readOnly = HttpApplication.start(kind)) {
            assertThat(readOnly.get("/guardedbyprices").body())
                    .startsWith("{\"source\":\"configuration\",\"models\":0,\"readAt\":\"")
                    .endsWith("\"written\":0,\"outliers\":{\"count\":0,\"some\":[]}}");
            assertThat(readOnly.post("/guardedbyprices", "").status()).isEqualTo(405);
        }
    }
}
