package dev.guardedby.sample;

import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** The switch of the model on loopback: {@code POST /model/failing} and so on. */
@RestController
@RequestMapping(path = "/model", produces = MediaType.TEXT_PLAIN_VALUE)
final class ModelController {
    private final ModelEndpoint endpoint;

    ModelController(ModelEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    @GetMapping
    String mood() {
        return endpoint.loopback().map(model -> "the model is " + model.mood()).orElse("a real provider") + "\n";
    }

    @PostMapping("/{mood}")
    String become(@PathVariable String mood) {
        LoopbackModel model = endpoint.loopback()
                .orElseThrow(() -> new ResponseStatusException(
                        HttpStatus.CONFLICT, "a real provider is asked; only the model on loopback takes orders"));
        LoopbackModel.Mood wanted = LoopbackModel.Mood.named(mood)
                .orElseThrow(() -> new ResponseStatusException(
                        HttpStatus.BAD_REQUEST,
                        "a model can be healthy, failing, slow or rate-limited, but not " + mood));
        model.become(wanted);
        return "the model is " + wanted + "\n";
    }
}
