// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/ews_client.hpp"

#include <array>
#include <utility>

#include "base/log.hpp"
#include "ews/client/busy.hpp"
#include "ews/client/http_status.hpp"
#include "ews/codec/codec.hpp"
#include "ews/xml/scanner.hpp"

namespace syncline::ews {
namespace {

// Of an answer that is not SOAP: enough for the texts by which servers explain themselves.
constexpr std::size_t most_refusal_octets = 16 * 1024;

}  // namespace

EwsClient::EwsClient(net::Environment& environment, net::HttpClient& http,
                     std::shared_ptr<CredentialBudgets> budgets, ClientSettings settings)
    : environment_(environment), http_(http), budgets_(std::move(budgets)), settings_(std::move(settings)) {}

SoapHeader EwsClient::soap_header() const {
  return {.request_server_version = settings_.requested_version,
          .impersonate_smtp = settings_.identity.impersonated_address};
}

net::HttpRequest EwsClient::http_request(std::string_view operation) {
  ++requests_;
  net::HttpRequest request{.method = "POST", .url = settings_.url, .headers = {}, .body = nullptr};
  request.headers.add("Content-Type", "text/xml; charset=utf-8");
  request.headers.add("Accept", "text/xml");
  request.headers.add("User-Agent", settings_.user_agent);
  request.headers.add("SOAPAction", '"' + soap_action(operation) + '"');
  // The server's logs carry the id that ours carry.
  request.headers.add("client-request-id", environment_.random.uuid());
  request.headers.add("return-client-request-id", "true");
  if (settings_.identity.anchor_mailbox)
    request.headers.add("X-AnchorMailbox", *settings_.identity.anchor_mailbox);
  return request;
}

net::HttpOptions EwsClient::http_options() const {
  net::HttpOptions options;
  options.limits = settings_.limits;
  options.authenticator = settings_.authenticator;
  return options;
}

net::Async<std::string> EwsClient::exchange(std::string_view operation, std::shared_ptr<net::Source> body,
                                            Affinity* affinity) {
  const OperationKind kind = kind_of(operation);
  const auto size = body->size();
  if (size && *size > settings_.request_octets) co_return fail(too_large(*size, settings_.request_octets));
  auto permit = co_await budgets_->acquire(kind);
  if (!permit) co_return fail(std::move(permit.error()));

  net::HttpRequest request = http_request(operation);
  request.body = std::move(body);
  if (affinity) affinity->add_to(request.headers);
  net::HttpOptions options = http_options();
  const std::string request_id(request.headers.find("client-request-id").value_or(""));
  options.request_id = request_id;
  options.repeatable = kind != OperationKind::write;
  const SteadyTime sent = environment_.clock.steady_now();
  auto response = co_await http_.send(std::move(request), std::move(options));
  if (!response) co_return fail(std::move(response.error()).during(std::string(operation)));
  note_answer(operation, sent);
  if (affinity) affinity->learn_from(response->headers);

  if (auto refused = refusal(operation, response->status, response->headers, response->body))
    co_return fail(std::move(*refused));
  xml::Scanner scanner(settings_.reply_limits);
  std::string clean;
  clean.reserve(response->body.size());
  auto scanned = scanner.feed(response->body, clean);
  if (scanned) scanned = scanner.finish(clean);
  if (!scanned) {
    Error error = std::move(scanned.error());
    error.http_status = response->status;
    co_return fail(std::move(error).during(std::string(operation)));
  }
  if (scanner.replaced() > 0) {
    log::debug(request_id, std::string(operation) + ": " + std::to_string(scanner.replaced()) +
                               " characters that XML forbids were replaced in the reply");
  }
  co_return clean;
}

void EwsClient::note_answer(std::string_view operation, SteadyTime sent) noexcept {
  if (settings_.answer_times)
    settings_.answer_times->add(kind_of(operation), environment_.clock.steady_now() - sent);
}

std::optional<Error> EwsClient::refusal(std::string_view operation, int status, const net::Headers& headers,
                                        std::string_view body) {
  if (may_be_soap(status, headers)) return std::nullopt;
  Error error = error_of(status, headers, body, environment_.clock.now());
  heed(error, kind_of(operation));
  return std::move(error).during(std::string(operation));
}

net::Async<std::optional<Error>> EwsClient::refusal(std::string_view operation, net::HttpExchange& exchange) {
  if (may_be_soap(exchange.status(), exchange.headers())) co_return std::nullopt;
  std::string body;
  std::array<std::byte, 4096> buffer;
  while (body.size() < most_refusal_octets) {
    auto got = co_await exchange.read_body(buffer);
    if (!got && got.error().code == "cancelled") co_return fail(std::move(got.error()));
    if (!got || *got == 0) break;
    body.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
  co_return refusal(operation, exchange.status(), exchange.headers(), body);
}

Error EwsClient::too_large(std::uint64_t octets, std::uint64_t most) {
  return {.domain = ErrorDomain::ews,
          .code = "ErrorMessageSizeExceeded",
          .message = "the request would be " + std::to_string(octets) + " octets long; the server takes " +
                     std::to_string(most),
          .retry = RetryClass::never};
}

void EwsClient::heed(const Error& error, OperationKind kind) {
  if (error.retry == RetryClass::after && (error.retry_after || is_busy_code(error.code) ||
                                           error.http_status == 503 || error.http_status == 429)) {
    budgets_->busy(error, kind);
  }
}

template <class Request>
net::Async<typename Request::Response> EwsClient::call(Request request, Affinity* affinity) {
  constexpr std::string_view operation = Request::operation;
  auto envelope = codec::encode(request, soap_header());
  if (!envelope) co_return fail(std::move(envelope.error()).during(std::string(operation)));
  auto body = std::make_shared<net::StringSource>(std::move(*envelope));
  auto reply = co_await exchange(operation, std::move(body), affinity);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_reply<Request>(*reply);
}

template <class Request>
Result<typename Request::Response> EwsClient::read_reply(std::string_view reply) {
  const OperationKind kind = kind_of(Request::operation);
  auto response = codec::decode<Request>(reply);
  if (!response) {
    heed(response.error(), kind);
    return fail(std::move(response.error()).during(std::string(Request::operation)));
  }
  if (response->server) server_ = response->server;
  bool was_busy = false;
  for (const auto& message : response->messages) {
    if (message.ok()) continue;
    const Error error = to_error(message);
    heed(error, kind);
    was_busy = was_busy || error.retry == RetryClass::after;
  }
  if (!was_busy) budgets_->calm();
  return response;
}

#define SYNCLINE_CALL(Name)                                                               \
  template net::Async<Name##Request::Response> EwsClient::call(Name##Request, Affinity*); \
  template Result<Name##Request::Response> EwsClient::read_reply<Name##Request>(std::string_view);
SYNCLINE_CALL(GetFolder)
SYNCLINE_CALL(FindFolder)
SYNCLINE_CALL(CreateFolder)
SYNCLINE_CALL(SyncFolderHierarchy)
SYNCLINE_CALL(SyncFolderItems)
SYNCLINE_CALL(FindItem)
SYNCLINE_CALL(GetItem)
SYNCLINE_CALL(CreateItem)
SYNCLINE_CALL(UpdateItem)
SYNCLINE_CALL(DeleteItem)
SYNCLINE_CALL(MoveItem)
SYNCLINE_CALL(SendItem)
SYNCLINE_CALL(CreateAttachment)
SYNCLINE_CALL(GetAttachment)
SYNCLINE_CALL(DeleteAttachment)
SYNCLINE_CALL(Subscribe)
SYNCLINE_CALL(GetEvents)
SYNCLINE_CALL(GetStreamingEvents)
SYNCLINE_CALL(Unsubscribe)
SYNCLINE_CALL(ResolveNames)
SYNCLINE_CALL(GetServerTimeZones)
SYNCLINE_CALL(ConvertId)
#undef SYNCLINE_CALL

}  // namespace syncline::ews
