// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/ews_front.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "tools/exchange-sim/front/autodiscover.hpp"
#include "tools/exchange-sim/front/mangle.hpp"
#include "tools/exchange-sim/front/soap.hpp"

namespace exchange_sim {

namespace text = syncline::text;

namespace {

constexpr std::string_view xml_type = "text/xml; charset=utf-8";
constexpr std::string_view html_type = "text/html; charset=utf-8";
constexpr std::string_view override_cookie = "X-BackEndOverrideCookie";

constexpr std::string_view forbidden_page =
    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" "
    "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">"
    "<html><head><title>403 - Forbidden: Access is denied.</title></head><body><h1>Server Error</h1><h2>403 "
    "- Forbidden: "
    "Access is denied.</h2></body></html>";
constexpr std::string_view storage_page =
    "<!DOCTYPE html><html><head><title>507 - Insufficient Storage</title></head><body><h2>The server has not "
    "enough room for this request.</h2></body></html>";
constexpr std::string_view sign_in_page =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=\"post\" "
    "action=\"/owa/auth.owa\">"
    "<input name=\"username\"><input name=\"password\" type=\"password\"><br>&nbsp;</form></body></html>";

std::optional<std::string> cookie_of(const net::Headers& headers, std::string_view name) {
  for (const auto field : headers.find_all("Cookie")) {
    for (const auto pair : text::split(field, ';')) {
      const auto trimmed = text::trim(pair);
      const auto equals = trimmed.find('=');
      if (equals != trimmed.npos && trimmed.substr(0, equals) == name)
        return std::string(trimmed.substr(equals + 1));
    }
  }
  return std::nullopt;
}

/// Response codes of an answer, without building a tree of it. NoError is left out.
std::vector<std::string> codes_of(std::string_view xml) {
  std::vector<std::string> out;
  constexpr std::string_view element = "ResponseCode";
  constexpr std::size_t most = 1000;
  for (auto at = xml.find(element); at != xml.npos && out.size() < most; at = xml.find(element, at + 1)) {
    const auto open = xml.find_first_of(" >/", at + element.size());
    const auto before = at == 0 ? '\0' : xml[at - 1];
    if (open != at + element.size() || (before != ':' && before != '<')) continue;
    const auto start = xml.find('>', open);
    const auto end = start == xml.npos ? xml.npos : xml.find('<', start);
    if (end == xml.npos) break;
    const auto slash = at < 2 ? xml.npos : xml.rfind('<', at);
    if (slash != xml.npos && xml[slash + 1] == '/') continue;
    const auto code = text::trim(xml.substr(start + 1, end - start - 1));
    if (!code.empty() && code != "NoError" && std::find(out.begin(), out.end(), code) == out.end()) {
      out.emplace_back(code);
    }
  }
  return out;
}

std::string subscription_id_of(std::string_view xml) {
  const auto at = xml.find("SubscriptionId>");
  if (at == xml.npos) return {};
  const auto start = at + std::string_view("SubscriptionId>").size();
  return std::string(text::trim(xml.substr(start, xml.find('<', start) - start)));
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool wants_path(std::string_view path, std::string_view wanted) {
  return text::equals_ignore_case(path, wanted);
}

bool starts_with_path(std::string_view path, std::string_view wanted) {
  return path.size() >= wanted.size() && text::equals_ignore_case(path.substr(0, wanted.size()), wanted);
}

}  // namespace

struct EwsFront::Call {
  const net::ServerRequest& request;
  net::Responder& responder;
  ConnectionState& connection;
  std::string path;
  LogEntry entry;
  net::Headers headers;  ///< of the answer, so far
  std::vector<FaultRule> rules;
  syncline::SteadyTime started;
  bool answered = false;
};

net::asio::awaitable<void> EwsFront::serve(const net::ServerRequest& request, net::Responder& responder) {
  auto& kept = responder.connection_state();
  if (!kept.has_value()) {
    auto fresh = std::make_shared<ConnectionState>();
    fresh->number = ++parts_.connections;
    fresh->site = state_.site.name;
    kept = std::move(fresh);
    parts_.counters.add("connections");
  }
  const auto connection = std::any_cast<std::shared_ptr<ConnectionState>>(kept);

  Call call{request, responder, *connection, {}, {}, {}, {}, parts_.clock.steady_now(), false};
  const auto question = request.target.find('?');
  call.path = percent_decode(std::string_view(request.target).substr(0, question), false);
  const std::string query =
      question == std::string::npos ? std::string() : request.target.substr(question + 1);
  auto& entry = call.entry;
  entry.number = parts_.log.next_number();
  entry.time = parts_.clock.now();
  entry.site = state_.site.name;
  entry.method = request.method;
  entry.path = call.path;
  entry.operation = "other";
  entry.connection = connection->number;
  entry.tls = request.tls;
  entry.request_octets = request.body.size();
  entry.anchor = std::string(request.headers.find("X-AnchorMailbox").value_or(""));
  entry.client_request_id = std::string(request.headers.find("client-request-id").value_or(""));
  entry.user_agent = std::string(request.headers.find("User-Agent").value_or(""));

  call.headers.set("Server", "Microsoft-IIS/10.0");
  call.headers.set("X-Powered-By", "ASP.NET");
  call.headers.set("request-id", parts_.environment.random.uuid());
  if (!entry.client_request_id.empty() && request.headers.find("return-client-request-id")) {
    call.headers.set("client-request-id", entry.client_request_id);
  }

  // Leaves the log line behind also when the coroutine is cancelled and unwinds.
  struct Finisher {
    EwsFront& front;
    Call& call;
    ~Finisher() { front.finish(call); }
  } finisher{*this, call};

  const auto tenant_path = fmt::format("/{}/oauth2/v2.0/token", state_.site.oauth.tenant);
  const bool has_tokens = std::find(state_.site.schemes.begin(), state_.site.schemes.end(), Scheme::bearer) !=
                          state_.site.schemes.end();
  if (wants_path(call.path, "/EWS/Exchange.asmx")) {
    co_await serve_ews(call);
  } else if (has_tokens && wants_path(call.path, tenant_path)) {
    co_await serve_token(call);
  } else if (starts_with_path(call.path, "/autodiscover/autodiscover.")) {
    co_await serve_autodiscover(call, query);
  } else if (wants_path(call.path, "/EWS/healthcheck.htm")) {
    co_await answer(call, 200, "200 OK", std::string(html_type));
  } else {
    co_await answer(call, 404, {}, std::string(html_type));
  }
}

void EwsFront::finish(Call& call) {
  auto& entry = call.entry;
  entry.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.steady_now() - call.started).count();
  auto& counters = parts_.counters;
  counters.add("requests");
  counters.add("requests." + entry.operation);
  counters.add(fmt::format("status.{}", entry.status));
  for (const auto& code : entry.codes) counters.add("code." + code);
  if (entry.during_back_off) counters.add("during-back-off");
  if (!entry.schema_violations.empty()) counters.add("schema-violations", entry.schema_violations.size());
  parts_.log.add(std::move(entry));
}

net::asio::awaitable<void> EwsFront::answer(Call& call, int status, std::string body,
                                            std::string content_type, bool may_gzip) {
  std::chrono::milliseconds silence{0};
  for (const auto& rule : call.rules) {
    if (rule.action == Action::content_type) content_type = rule.content_type;
    if (rule.action == Action::truncate) body.resize(std::min<std::size_t>(body.size(), rule.offset));
    if (rule.action == Action::truncate || rule.action == Action::cut || rule.action == Action::false_length)
      may_gzip = false;
    if (rule.action == Action::cut) call.responder.cut_after(rule.offset);
    if (rule.action == Action::false_length) {
      call.responder.claim_length(rule.offset);
      silence = rule.wait;
    }
  }
  call.entry.status = status;
  call.entry.response_octets = body.size();
  call.answered = true;
  net::Headers headers = call.headers;
  if (!body.empty() || status == 200) headers.set("Content-Type", content_type);
  const auto sent = co_await call.responder.respond(status, std::move(headers), std::move(body), may_gzip);
  call.entry.is_cut = !sent && sent.error().code == "cut";
  if (silence.count() > 0) {
    const auto until = parts_.clock.steady_now() + silence;
    static_cast<void>(co_await parts_.environment.timers.sleep_until(until));
  }
}

net::asio::awaitable<void> EwsFront::answer_fault(Call& call, std::string_view code, std::string_view message,
                                                  std::string_view message_xml) {
  call.entry.codes.emplace_back(code);
  co_await answer(call, 500, soap_fault(code, message, message_xml), std::string(xml_type));
}

net::asio::awaitable<void> EwsFront::answer_challenge(Call& call, net::Headers challenges) {
  for (const auto& [name, value] : challenges) call.headers.add(name, value);
  co_await answer(call, 401, {}, std::string(html_type));
}

net::asio::awaitable<void> EwsFront::answer_disabled(Call& call, EwsSwitch form) {
  switch (form) {
    case EwsSwitch::on:
    case EwsSwitch::off_empty:
      co_await answer(call, 403, {}, std::string(html_type));
      break;
    case EwsSwitch::off_html:
      co_await answer(call, 403, std::string(forbidden_page), std::string(html_type));
      break;
    case EwsSwitch::off_fault:
      call.entry.codes.emplace_back("ErrorAccessDenied");
      co_await answer(call, 403, soap_fault("ErrorAccessDenied", "EWS is disabled for this organization."),
                      std::string(xml_type));
      break;
  }
}

net::asio::awaitable<void> EwsFront::answer_busy(Call& call, BusyPlace place, std::chrono::milliseconds hint,
                                                 const EwsRequest* ews) {
  const auto text = message_of_code("ErrorServerBusy");
  const std::string operation = ews == nullptr ? "GetItem" : ews->operation;
  const std::size_t batch = ews == nullptr ? 1 : ews->batch;
  switch (place) {
    case BusyPlace::fault:
      co_await answer_fault(call, "ErrorServerBusy", text, back_off_value(hint));
      break;
    case BusyPlace::message:
      call.entry.codes.emplace_back("ErrorServerBusy");
      co_await answer(call, 200,
                      soap_envelope(state_.site, error_response(operation, batch, "ErrorServerBusy", text,
                                                                back_off_value(hint))),
                      std::string(xml_type));
      break;
    case BusyPlace::inner_code: {
      call.entry.codes.emplace_back("ErrorInternalServerError");
      const std::string inner = fmt::format(
          "<t:Value Name=\"InnerErrorMessageText\">{}</t:Value><t:Value "
          "Name=\"InnerErrorResponseCode\">ErrorServerBusy</t:Value><t:Value "
          "Name=\"InnerErrorDescriptiveLinkKey\">0</t:Value>{}",
          xml_escape(text), back_off_value(hint));
      co_await answer(
          call, 200,
          soap_envelope(state_.site, error_response(operation, batch, "ErrorInternalServerError",
                                                    message_of_code("ErrorInternalServerError"), inner)),
          std::string(xml_type));
      break;
    }
    case BusyPlace::http: {
      // Retry-After knows seconds only; less than asked for would be a lie.
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(hint);
      call.headers.set("Retry-After", std::to_string(seconds.count()));
      co_await answer(call, 503, "The service is unavailable.", std::string(html_type));
      break;
    }
  }
}

net::asio::awaitable<bool> EwsFront::apply_before(Call& call, const std::vector<FaultRule>& rules,
                                                  const EwsRequest* ews, std::string_view budget) {
  for (const auto& rule : rules) {
    if (rule.action != Action::delay) continue;
    const auto until = parts_.clock.steady_now() + rule.wait;
    const auto slept = co_await parts_.environment.timers.sleep_until(until);
    if (!slept) co_return true;
  }
  for (const auto& rule : rules) {
    switch (rule.action) {
      case Action::abort_before:
        call.responder.abort();
        co_return true;
      case Action::busy:
        if (ews != nullptr) state_.throttle.told_to_wait(budget, rule.wait);
        co_await answer_busy(call, rule.place, rule.wait, ews);
        co_return true;
      case Action::unavailable:
        if (ews != nullptr) state_.throttle.told_to_wait(budget, rule.wait);
        co_await answer_busy(call, BusyPlace::http, rule.wait, ews);
        co_return true;
      case Action::status:
        if (!rule.value.empty()) call.headers.set("Location", rule.value);
        co_await answer(call, rule.http_status, rule.text, rule.content_type);
        co_return true;
      case Action::insufficient_storage:
        co_await answer(call, 507, std::string(storage_page), std::string(html_type));
        co_return true;
      case Action::unauthorized:
        co_await answer_challenge(call, challenges_of(state_));
        co_return true;
      case Action::ews_disabled: {
        const auto form = rule.value == "html"    ? EwsSwitch::off_html
                          : rule.value == "fault" ? EwsSwitch::off_fault
                                                  : EwsSwitch::off_empty;
        co_await answer_disabled(call, form);
        co_return true;
      }
      case Action::soap_fault: {
        // Named, not in the call: g++ 12 destroys the temporaries of ?: inside a co_await twice.
        const std::string code = rule.code.empty() ? "ErrorInternalServerError" : rule.code;
        const std::string text = rule.text.empty() ? std::string(message_of_code(code)) : rule.text;
        const std::string hint = rule.wait.count() > 0 ? back_off_value(rule.wait) : std::string();
        co_await answer_fault(call, code, text, hint);
        co_return true;
      }
      case Action::response_code: {
        if (rule.index || ews == nullptr) break;
        const std::string code = rule.code.empty() ? "ErrorInternalServerError" : rule.code;
        const std::string text = rule.text.empty() ? std::string(message_of_code(code)) : rule.text;
        std::string body = soap_envelope(state_.site, error_response(ews->operation, ews->batch, code, text));
        call.entry.codes.push_back(code);
        co_await answer(call, 200, std::move(body), std::string(xml_type));
        co_return true;
      }
      case Action::html_page:
        co_await answer(call, 200, std::string(sign_in_page), std::string(html_type));
        co_return true;
      case Action::gzip_bomb:
        call.headers.set("Content-Encoding", "gzip");
        co_await answer(call, 200, gzip_bomb(rule.offset), std::string(xml_type), false);
        co_return true;
      case Action::entity_bomb:
        co_await answer(call, 200, entity_bomb(), std::string(xml_type));
        co_return true;
      default:
        break;
    }
  }
  co_return false;
}

net::asio::awaitable<bool> EwsFront::resolve_mailbox(Call& call, const EwsRequest& ews,
                                                     const Identity& identity, Caller& caller) {
  caller.mailbox = identity.address;
  if (!ews.impersonation) {
    if (identity.app_only() && state_.site.oauth.requires_impersonation) {
      co_await answer_fault(call, "ErrorImpersonationRequired",
                            message_of_code("ErrorImpersonationRequired"));
      co_return false;
    }
  } else {
    const auto& wanted = *ews.impersonation;
    call.entry.impersonation = text::to_lower_ascii(wanted.name);
    if (wanted.kind.empty()) {
      co_await answer_fault(call, "ErrorInvalidExchangeImpersonationHeaderData",
                            message_of_code("ErrorInvalidExchangeImpersonationHeaderData"));
      co_return false;
    }
    const User* target = wanted.kind == "SID"             ? nullptr
                         : wanted.kind == "PrincipalName" ? state_.user_of_logon(wanted.name)
                                                          : state_.user_of_address(wanted.name);
    const auto* moved = state_.moved(wanted.name);
    if (target == nullptr && moved == nullptr) {
      co_await answer_fault(call, "ErrorNonExistentMailbox", message_of_code("ErrorNonExistentMailbox"));
      co_return false;
    }
    const std::string address = target == nullptr ? moved->address : target->address;
    if (target != nullptr && wanted.kind == "PrimarySmtpAddress" &&
        !text::equals_ignore_case(target->address, wanted.name)) {
      co_await answer_fault(call, "ErrorNonPrimarySmtpAddress",
                            "The primary SMTP address must be specified when referencing a mailbox.");
      co_return false;
    }
    bool allowed = false;
    if (identity.app_only()) {
      for (const auto& application : state_.site.oauth.applications) {
        if (application.client_id != identity.client_id) continue;
        allowed = application.mailboxes.empty() ||
                  std::any_of(application.mailboxes.begin(), application.mailboxes.end(),
                              [&](const std::string& one) { return text::equals_ignore_case(one, address); });
      }
      if (!allowed) {
        // An application access policy shuts the door before EWS sees the call.
        co_await answer_disabled(call, EwsSwitch::off_empty);
        co_return false;
      }
    } else {
      const auto& rights = identity.user->may_impersonate;
      allowed = text::equals_ignore_case(identity.address, address) ||
                std::any_of(rights.begin(), rights.end(), [&](const std::string& one) {
                  return one == "*" || text::equals_ignore_case(one, address);
                });
    }
    if (!allowed && identity.scheme == Scheme::bearer) {
      // A user's own token never impersonates without the role (OfficeDev/ews-managed-api issue 212).
      co_await answer_fault(call, "ErrorInvalidExchangeImpersonationHeaderData",
                            "ExchangeImpersonation SOAP header must not exist for this type of OAuth token.");
      co_return false;
    }
    if (!allowed) {
      co_await answer_fault(call, "ErrorImpersonateUserDenied",
                            message_of_code("ErrorImpersonateUserDenied"));
      co_return false;
    }
    caller.mailbox = address;
  }
  call.entry.mailbox = caller.mailbox;
  if (const auto* moved = state_.moved(caller.mailbox)) {
    const std::string code = moved->ews_code;
    co_await answer_fault(call, code, message_of_code(code));
    co_return false;
  }
  co_return true;
}

net::asio::awaitable<void> EwsFront::serve_ews(Call& call) {
  auto& entry = call.entry;
  const auto& request = call.request;
  auto authentication = authenticate(state_, request, call.connection);
  entry.scheme = authentication.scheme;
  if (!authentication.identity) {
    entry.operation = "unauthenticated";
    if (!authentication.refusal.empty()) parts_.counters.add("refused-credentials");
    if (!authentication.refusal.empty()) entry.codes.push_back(authentication.refusal);
    co_await answer_challenge(call, std::move(authentication.challenges));
    co_return;
  }
  const Identity identity = *authentication.identity;
  entry.authenticated_as = identity.name();
  for (const auto& [name, value] : authentication.challenges) call.headers.add(name, value);

  if (request.method != "POST") {
    entry.operation = "page";
    if (request.method == "GET") {
      co_await answer(call, 200,
                      "<html><head><title>Exchange Web Services</title></head><body></body></html>",
                      std::string(html_type));
    } else {
      call.headers.set("Allow", "GET, POST");
      co_await answer(call, 405, {}, std::string(html_type));
    }
    co_return;
  }
  if (request.body.size() > state_.site.limits.request_octets) {
    entry.operation = "too-large";
    co_await answer(call, 413, "The page was not displayed because the request entity is too large.",
                    std::string(html_type));
    co_return;
  }
  const auto type = text::to_lower_ascii(request.headers.find("Content-Type").value_or(""));
  if (!type.starts_with("text/xml")) {
    co_await answer(call, 415, {}, std::string(html_type));
    co_return;
  }

  EwsRequest ews;
  std::string refusal;
  long refusal_line = 1;
  {
    const auto document = XmlDocument::parse(request.body);
    if (!document) {
      refusal = document.error().message;
      entry.schema_violations.push_back(refusal);
    } else if (auto read = read_envelope(*document); !read) {
      refusal = read.error().message;
      entry.schema_violations.push_back(refusal);
    } else {
      ews = std::move(*read);
      if (parts_.schema) {
        const auto violations = parts_.schema->check(*document);
        for (const auto& violation : violations) {
          entry.schema_violations.push_back(fmt::format("line {}: {}", violation.line, violation.message));
        }
        if (!violations.empty() && parts_.strict) {
          refusal = violations.front().message;
          refusal_line = violations.front().line;
        }
      }
    }
  }
  entry.operation = ews.operation.empty() ? "unreadable" : ews.operation;
  entry.version = ews.version;
  entry.mailbox = identity.address;

  // Affinity: who is asked again with our cookie stays on one back end.
  const auto override = cookie_of(request.headers, override_cookie);
  unsigned back_end = 0;
  if (state_.site.back_ends > 1) {
    const auto number = override
                            ? text::parse_int(std::string_view(*override).substr(override->rfind('~') + 1))
                            : std::nullopt;
    const auto anchor = entry.anchor.empty() ? identity.address : entry.anchor;
    back_end = number && *number >= 0 && *number < state_.site.back_ends ? static_cast<unsigned>(*number)
                                                                         : state_.back_end_of(anchor);
  }
  call.headers.set("X-FEServer", "SIMFE01");
  call.headers.set("X-BEServer", fmt::format("SIMBE{:02}", back_end + 1));
  const std::string cookie_suffix = request.tls ? "; path=/; secure; HttpOnly" : "; path=/; HttpOnly";
  if (!cookie_of(request.headers, "exchangecookie")) {
    std::string value = parts_.environment.random.uuid();
    std::erase(value, '-');
    call.headers.add("Set-Cookie", "exchangecookie=" + value + cookie_suffix);
  }
  const bool wants_affinity =
      text::equals_ignore_case(request.headers.find("X-PreferServerAffinity").value_or(""), "true");
  if (wants_affinity && !override) {
    call.headers.add("Set-Cookie",
                     fmt::format("{}={}~{}{}", override_cookie, fmt::format("SIMBE{:02}", back_end + 1),
                                 back_end, cookie_suffix));
  }

  if (state_.site.ews != EwsSwitch::on) {
    co_await answer_disabled(call, state_.site.ews);
    co_return;
  }
  if (!refusal.empty()) {
    entry.codes.emplace_back("ErrorSchemaValidation");
    co_await answer(call, 500, schema_fault(refusal_line, 1, refusal), std::string(xml_type));
    co_return;
  }
  if (!ews.version.empty() && !knows_version(state_.site, ews.version)) {
    co_await answer_fault(call, "ErrorInvalidServerVersion", message_of_code("ErrorInvalidServerVersion"));
    co_return;
  }

  Caller caller{state_.site.name, identity.name(), {}, ews.version};
  const bool resolved = co_await resolve_mailbox(call, ews, identity, caller);
  if (!resolved) co_return;
  const std::string budget = caller.mailbox.empty() ? caller.authenticated_as : caller.mailbox;

  const auto wait = state_.throttle.remaining_back_off(budget);
  if (wait.count() > 0) {
    entry.during_back_off = true;
    co_await answer_busy(call, BusyPlace::fault, wait, &ews);
    co_return;
  }
  auto admitted = state_.throttle.admit(budget, kind_of(ews.operation));
  if (!admitted.refusal.empty()) {
    parts_.counters.add(fmt::format("over-budget.{}", admitted.what));
    const auto hint = admitted.hint.count() > 0 ? back_off_value(admitted.hint) : std::string();
    co_await answer_fault(call, admitted.refusal, message_of_code(admitted.refusal), hint);
    co_return;
  }

  call.rules = parts_.faults.take({state_.site.name, ews.operation, caller.mailbox, identity.name()});
  for (const auto& rule : call.rules) entry.fault_rules.push_back(rule.id);
  const bool over = co_await apply_before(call, call.rules, &ews, budget);
  if (over) co_return;

  if (state_.site.limits.service_time.count() > 0) {
    const auto until = call.started + state_.site.limits.service_time;
    const auto slept = co_await parts_.environment.timers.sleep_until(until);
    if (!slept) co_return;
  }

  if (ews.operation == "GetStreamingEvents") {
    std::vector<std::string> foreign;
    if (state_.site.back_ends > 1) {
      for (const auto& id : ews.subscription_ids) {
        const auto found = state_.back_end_of_subscription.find(id);
        if (found != state_.back_end_of_subscription.end() && found->second != back_end)
          foreign.push_back(id);
      }
    }
    co_await serve_streaming(call, ews, caller, call.rules, std::move(foreign));
    co_return;
  }

  std::string body_for_service;
  std::string_view to_service = request.body;
  for (const auto& rule : call.rules) {
    if (rule.action != Action::partial_page) continue;
    if (auto lowered = with_page_limit(to_service, rule.limit)) {
      body_for_service = std::move(*lowered);
      to_service = body_for_service;
    }
  }
  entry.handled = true;
  Reply reply = parts_.service.handle(caller, to_service);
  if (state_.site.back_ends > 1 && ews.operation == "Subscribe" && reply.http_status == 200) {
    const auto id = subscription_id_of(reply.body_xml);
    if (!id.empty()) state_.back_end_of_subscription[id] = back_end;
  }
  for (const auto& rule : call.rules) {
    if (rule.action == Action::abort_after) {
      call.responder.abort();
      co_return;
    }
  }
  std::string envelope = soap_envelope(state_.site, reply.body_xml);
  for (const auto& rule : call.rules) {
    if (rewrites_xml(rule.action)) envelope = rewrite_xml(rule, envelope, ews.operation, request.body);
  }
  entry.codes = codes_of(envelope);
  co_await answer(call, reply.http_status, std::move(envelope), std::string(xml_type));
}

net::asio::awaitable<void> EwsFront::serve_streaming(Call& call, const EwsRequest& ews, const Caller& caller,
                                                     std::vector<FaultRule> rules,
                                                     std::vector<std::string> foreign_ids) {
  auto& entry = call.entry;
  if (ews.connection_timeout_minutes < 1 || ews.connection_timeout_minutes > 30 ||
      ews.subscription_ids.empty()) {
    entry.codes.emplace_back("ErrorSchemaValidation");
    entry.schema_violations.emplace_back(
        "GetStreamingEvents needs SubscriptionIds and a ConnectionTimeout from 1 to 30");
    co_await answer(call, 500, schema_fault(1, 1, entry.schema_violations.back()), std::string(xml_type));
    co_return;
  }
  if (ews.subscription_ids.size() > state_.site.limits.streaming_ids) {
    entry.codes.emplace_back("ErrorInvalidRequest");
    co_await answer(
        call, 200,
        soap_envelope(state_.site, error_response(ews.operation, 1, "ErrorInvalidRequest",
                                                  "Too many subscription ids on one connection.")),
        std::string(xml_type));
    co_return;
  }
  StreamHub::Request stream;
  stream.caller = caller;
  stream.timeout = std::chrono::minutes(ews.connection_timeout_minutes);
  for (auto& [id, is_denied] : parts_.service.unusable_subscriptions(caller, ews.subscription_ids))
    (is_denied ? stream.denied_ids : stream.refused_ids).push_back(std::move(id));
  for (auto& id : foreign_ids) {
    if (!contains(stream.refused_ids, id) && !contains(stream.denied_ids, id))
      stream.refused_ids.push_back(std::move(id));
  }
  std::vector<FaultRule> rewriting;
  for (const auto& rule : rules) {
    switch (rule.action) {
      case Action::dead_stream:
        stream.dead = true;
        break;
      case Action::lose_events:
        stream.lose_events = true;
        break;
      case Action::close_stream:
        stream.close_after = rule.limit == 0 ? 1 : rule.limit;
        break;
      case Action::error_subscription:
        stream.refused_ids = ews.subscription_ids;
        stream.denied_ids.clear();
        if (!rule.code.empty()) stream.refusal_code = rule.code;
        break;
      case Action::cut:
        call.responder.cut_after(rule.offset);
        break;
      case Action::abort_after:
        stream.close_after = 1;
        break;
      case Action::content_type:
        break;
      default:
        if (rewrites_xml(rule.action)) rewriting.push_back(rule);
        break;
    }
  }
  for (const auto& id : ews.subscription_ids) {
    if (!contains(stream.refused_ids, id) && !contains(stream.denied_ids, id)) stream.ids.push_back(id);
  }
  if (!rewriting.empty()) {
    stream.rewrite = [rewriting, body = call.request.body](std::string envelope) {
      for (const auto& rule : rewriting) envelope = rewrite_xml(rule, envelope, "GetStreamingEvents", body);
      return envelope;
    };
  }
  stream.rules = [this, caller, &entry] {
    auto taken = parts_.faults.take({state_.site.name, "stream", caller.mailbox, caller.authenticated_as});
    for (const auto& rule : taken) entry.fault_rules.push_back(rule.id);
    return taken;
  };
  entry.status = 200;
  entry.handled = true;
  call.answered = true;

  // Whatever was sent is logged, also when the client goes away in the middle.
  StreamHub::Outcome outcome;
  struct Record {
    StreamHub::Outcome& outcome;
    LogEntry& entry;
    ~Record() {
      entry.response_octets = outcome.octets;
      entry.codes = outcome.codes;
    }
  } record{outcome, entry};
  co_await parts_.streams.run(state_, std::move(stream), call.headers, call.responder, outcome);
}

net::asio::awaitable<void> EwsFront::serve_token(Call& call) {
  auto& entry = call.entry;
  entry.operation = "token";
  call.rules = parts_.faults.take({state_.site.name, "token", {}, {}});
  for (const auto& rule : call.rules) entry.fault_rules.push_back(rule.id);
  const bool over = co_await apply_before(call, call.rules, nullptr, {});
  if (over) co_return;
  if (call.request.method != "POST") {
    call.headers.set("Allow", "POST");
    co_await answer(call, 405, {}, std::string(html_type));
    co_return;
  }
  std::vector<std::string> audiences;
  for (const auto& endpoint : state_.endpoints) audiences.push_back(endpoint.token_url);
  entry.handled = true;
  auto reply = state_.tokens.answer(call.request.body,
                                    call.request.headers.find("Authorization").value_or(""), audiences);
  entry.authenticated_as = reply.client_id.empty() ? std::string() : "app:" + reply.client_id;
  parts_.counters.add("token." + (reply.grant.empty() ? std::string("unreadable") : reply.grant));
  if (!reply.error.empty()) entry.codes.push_back(reply.error);
  call.headers.set("Cache-Control", "no-store, no-cache");
  call.headers.set("Pragma", "no-cache");
  for (const auto& rule : call.rules) {
    if (rule.action == Action::abort_after) {
      call.responder.abort();
      co_return;
    }
  }
  co_await answer(call, reply.status, std::move(reply.json), "application/json; charset=utf-8");
}

net::asio::awaitable<void> EwsFront::serve_autodiscover(Call& call, std::string_view query) {
  auto& entry = call.entry;
  const auto& request = call.request;
  const bool is_json = starts_with_path(call.path, "/autodiscover/autodiscover.json");
  const bool is_soap = wants_path(call.path, "/autodiscover/autodiscover.svc");
  const bool is_pox = wants_path(call.path, "/autodiscover/autodiscover.xml");
  entry.operation = is_json ? "autodiscover-v2" : is_soap ? "autodiscover-soap" : "autodiscover-pox";
  if ((!is_json && !is_soap && !is_pox) || (is_json && !state_.site.autodiscover_json.value_or(true))) {
    co_await answer(call, 404, {}, std::string(html_type));
    co_return;
  }
  const auto with_rules = [&](std::string_view mailbox, std::string_view user) {
    call.rules = parts_.faults.take({state_.site.name, entry.operation, mailbox, user});
    for (const auto& rule : call.rules) entry.fault_rules.push_back(rule.id);
  };
  const auto send = [&](AutodiscoverReply reply) -> Flow {
    for (const auto& [name, value] : reply.headers) call.headers.set(name, value);
    entry.mailbox = reply.mailbox;
    entry.codes = reply.codes;
    for (const auto& rule : call.rules) {
      if (rule.action == Action::abort_after) {
        call.responder.abort();
        co_return;
      }
    }
    const std::string type(reply.headers.find("Content-Type").value_or(xml_type));
    co_await answer(call, reply.status, std::move(reply.body), type);
  };

  if (is_json) {
    with_rules({}, {});
    const bool over = co_await apply_before(call, call.rules, nullptr, {});
    if (over) co_return;
    entry.handled = true;
    auto reply = autodiscover_json(state_, call.path, query, [this](std::string_view address) {
      for (const auto& other : parts_.sites) {
        if (other.get() != &state_ && other->user_of_address(address) != nullptr) return other->base_url();
      }
      return std::string();
    });
    co_await send(std::move(reply));
    co_return;
  }
  // The clear-text door only points to the other one.
  if (!request.tls && request.method == "GET") {
    std::string target = state_.site.autodiscover_redirect;
    const auto* main = state_.main_endpoint();
    if (target.empty() && main != nullptr && main->tls)
      target = base_url_of(state_.site, true, main->port) + call.path;
    if (!target.empty()) {
      with_rules({}, {});
      const bool over = co_await apply_before(call, call.rules, nullptr, {});
      if (over) co_return;
      call.headers.set("Location", target);
      co_await answer(call, 302, {}, std::string(html_type));
      co_return;
    }
  }
  auto authentication = authenticate(state_, request, call.connection);
  entry.scheme = authentication.scheme;
  if (!authentication.identity) {
    if (!authentication.refusal.empty()) {
      parts_.counters.add("refused-credentials");
      entry.codes.push_back(authentication.refusal);
    }
    co_await answer_challenge(call, std::move(authentication.challenges));
    co_return;
  }
  entry.authenticated_as = authentication.identity->name();
  for (const auto& [name, value] : authentication.challenges) call.headers.add(name, value);
  with_rules({}, entry.authenticated_as);
  const bool over = co_await apply_before(call, call.rules, nullptr, {});
  if (over) co_return;
  entry.handled = true;
  // A GET has no request in it: code 600, as Exchange answers.
  const std::string body = request.method == "POST" ? request.body : std::string();
  auto reply = is_soap && !body.empty() ? autodiscover_soap(state_, body) : autodiscover_pox(state_, body);
  co_await send(std::move(reply));
}

}  // namespace exchange_sim
