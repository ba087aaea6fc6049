package dev.guardedby.spring.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClientRequest;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.advisor.ChatModelCallAdvisor;
import org.springframework.ai.chat.client.advisor.api.CallAdvisor;
import org.springframework.ai.chat.client.advisor.api.CallAdvisorChain;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.aop.framework.ProxyFactory;

/** How often the clients behind Spring AI's models try, which they tell nobody. */
final class SpringAiClientsTest {
    /** An advisor that asks a model of its own. */
    private record Judge(ChatModel chatModel) implements CallAdvisor {
        @Override
        public ChatClientResponse adviseCall(ChatClientRequest request, CallAdvisorChain chain) {
            return chain.nextCall(request);
        }

        @Override
        public String getName() {
            return "judge";
        }

        @Override
        public int getOrder() {
            return 0;
        }
    }

    private static ChatModel model(int retries) {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl("http://localhost")
                .apiKey("key")
                .maxRetries(retries)
                .build();
        return OpenAiChatModel.builder()
                .openAiClient(client)
                .openAiClientAsync(client.async())
                .build();
    }

    @Test
    void clientOfTheModelThatIsAsked_tells_andNotThatOfAnAdvisor() {
        Judge judge = new Judge(model(0));
        CallAdvisor asking = ChatModelCallAdvisor.builder().chatModel(model(4)).build();

        assertThat(SpringAiClients.attempts(List.of(judge, asking))).isEqualTo(5);
        assertThat(SpringAiClients.attempts(List.of(judge))).isNull();
    }

    @Test
    void modelBehindAProxy_tells() {
        ChatModel proxied = (ChatModel) new ProxyFactory(model(1)).getProxy();

        assertThat(SpringAiClients.attempts(List.of(proxied, model(3)), null)).isEqualTo(4);
        assertThat(SpringAiClients.attempts(List.of(proxied), null)).isEqualTo(2);
    }
}
