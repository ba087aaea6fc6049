package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import dev.guardedby.spring.keys.Keys;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.WebApplicationType;

/** An operator mistypes: nothing is moved, and the answer says what was meant. */
@ParameterizedClass
@CsvSource({
    "SERVLET, guardedby.enabled=true",
    "SERVLET, management.server.port=0",
    "REACTIVE, guardedby.enabled=true",
    "REACTIVE, management.server.port=0"
})
record BadRequestsOverHttpTest(WebApplicationType kind, String property) {
    private static final String CLOSED = "CircuitBreaker[name=llm, state=closed, failures=0/1]";

    private static HttpApplication application;
    private static CircuitBreaker llm;

    @BeforeParameterizedClassInvocation
    static void start(WebApplicationType kind, String property) {
        application = HttpApplication.start(
                kind,
                "management.endpoint.guardedby.access=unrestricted",
                "guardedby.breakers.llm.failure-threshold=1",
                "guardedby.breakers.bank.failure-threshold=1",
                property);
        llm = application.bean(CircuitBreakerRegistry.class).get("llm");
        application.bean(Keys.class).of(llm);
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        application.close();
    }

    private static Response post(String path, String json) throws Exception {
        return application.post("/guardedby/" + path, json);
    }

    private static Response refused(int status, String error) {
        return new Response(status, "{\"error\":\"" + error + "\"}");
    }

    @Test
    void unknownParameter_is400_namesWhatWasMeant_andMovesNothing() throws Exception {
        llm.forKey("acme").recordFailure();

        assertThat(List.of(
                        post("llm", "{\"action\":\"hold-open\",\"keys\":\"acme\"}"),
                        post("llm?Key=acme", "{\"action\":\"reset\"}"),
                        post("llm", "{\"acton\":\"reset\"}"),
                        post("llm", "{\"action\":\"hold-open\",\"key\":null}"),
                        post("llm", "{\"action\":\"reset\",\"tenant\":\"acme\"}")))
                .containsExactly(
                        refused(400, "'keys' is not a parameter; did you mean key?"),
                        refused(400, "'Key' is not a parameter; did you mean key?"),
                        refused(400, "'acton' is not a parameter; did you mean action?"),
                        refused(400, "'key' is null; give it a value, or leave it out"),
                        refused(
                                400,
                                "'tenant' is not a parameter; there are action, mode, settings, key, budget, limit,"
                                        + " amount, reason"));
        assertThat(llm).hasToString(CLOSED);
        assertThat(llm.forKey("acme")).hasToString("CircuitBreaker[name=llm, key=acme, state=open, failures=1/1]");
        assertThat(field(post("llm", "{\"action\":\"reset\",\"key\":\"acme\"}").body(), "state"))
                .isEqualTo("CLOSED");
    }

    @Test
    void readingWithAnUnknownParameter_is400_too() throws Exception {
        assertThat(List.of(
                        application.get("/guardedby/llm?keys=acme"),
                        application.get("/guardedby/llm?tenant=acme"),
                        application.get("/guardedby?key=acme"),
                        application.get("/guardedby?name=llm")))
                .containsExactly(
                        refused(400, "'keys' is not a parameter; did you mean key?"),
                        refused(400, "'tenant' is not a parameter; there are key"),
                        refused(400, "'key' is not a parameter; there are none"),
                        refused(400, "'name' is not a parameter; there are none"));
        assertThat(application.get("/guardedby").status()).isEqualTo(200);
        llm.forKey("acme").acquire().success();
        assertThat(field(application.get("/guardedby/llm?key=acme").body(), "key"))
                .isEqualTo("acme");
    }

    @Test
    void bodyThatIsNotFlat_is400_andSaysHowToWriteIt() throws Exception {
        for (String body : List.of(
                "{\"action\":\"reconfigure\",\"settings\":{\"failure-threshold\":5}}",
                "{\"action\":\"reset\",\"key\":[\"acme\"]}",
                "{\"action\":",
                "[]")) {
            Response answer = post("llm", body);
            assertThat(answer.status()).as(body).isEqualTo(400);
            assertThat(field(answer.body(), "error"))
                    .as(body)
                    .isEqualTo("the body must be a JSON object of texts, with nothing nested in it, such as"
                            + " {\"action\": \"reconfigure\", \"settings\": \"failure-threshold=5,window=100\"}");
        }
        assertThat(field(application.post("/loggers/com.acme", "[]").body(), "error"))
                .as("no endpoint of ours")
                .isEqualTo("Bad Request");
        assertThat(llm).hasToString(CLOSED);
    }

    @Test
    void misspeltName_is404_andNamesTheOneThatWasMeant() throws Exception {
        assertThat(List.of(
                        application.get("/guardedby/LLM"),
                        application.get("/guardedby/lmm"),
                        post("banks", "{\"action\":\"reset\"}"),
                        application.get("/guardedby/payments")))
                .containsExactly(
                        refused(404, "there is no circuit breaker 'LLM'; did you mean llm?"),
                        refused(404, "there is no circuit breaker 'lmm'; did you mean llm?"),
                        refused(404, "there is no circuit breaker 'banks'; did you mean bank?"),
                        refused(404, "there is no circuit breaker 'payments'; there are bank, llm"));
        assertThat(application.bean(CircuitBreakerRegistry.class).all())
                .extracting(CircuitBreaker::name)
                .containsExactly("bank", "llm");
    }
}
