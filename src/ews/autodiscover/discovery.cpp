// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/autodiscover/discovery.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "auth/challenge.hpp"
#include "base/text.hpp"
#include "ews/autodiscover/clouds.hpp"
#include "ews/autodiscover/messages.hpp"
#include "ews/autodiscover/trust.hpp"

// The order of steps for one address:
//   candidates = D, autodiscover.D           (a cloud's own domain: the cloud's host first)
//   each candidate: v2 without credentials → SOAP → POX, until one gives settings, an address or nothing is
//   left none: http://autodiscover.D for its redirect, then SRV; each gives one more candidate
// A URL redirect puts a candidate in front of the others; an address redirect throws them away and begins
// anew. A redirect of v2 may be both: its URL asks about the mailbox's address at the new place. Every target
// passes Trust before it is asked, every redirect counts as a hop, no (method, URL, address) is asked twice.

namespace syncline::ews::autodiscover {

namespace {

/// More refusals of one password than this may lock the account.
constexpr int max_credential_refusals = 2;

constexpr std::string_view soap_path = "/autodiscover/autodiscover.svc";
constexpr std::string_view pox_path = "/autodiscover/autodiscover.xml";

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

net::Url https(const std::string& host, std::string_view target, std::uint16_t port = 443) {
  net::Url url;
  url.scheme = "https";
  url.host = host;
  url.port = port;
  url.target = target;
  return url;
}

/// A host to ask.
struct Candidate {
  std::string host;
  std::uint16_t port = 443;
  bool json_asked = false;  ///< only what is left: v2 has led elsewhere
  std::optional<Method> service =
      std::nullopt;  ///< whose path a redirect gave; the others have the usual ones
  std::string target = {};

  net::Url url(Method method, std::string_view usual_target) const {
    return https(host, service == method ? std::string_view(target) : usual_target, port);
  }
};

/// Learns which schemes a server offers, and gives it nothing.
class SchemeProbe final : public net::Authenticator {
 public:
  std::string_view scheme() const noexcept override { return "none"; }
  std::string pool_key() const override { return "none"; }
  bool connection_bound() const noexcept override { return false; }
  std::unique_ptr<net::AuthSession> start(const net::AuthTarget&) override {
    return std::make_unique<Session>(offered);
  }

  std::shared_ptr<std::vector<auth::Challenge>> offered = std::make_shared<std::vector<auth::Challenge>>();

  std::string list() const {
    std::string text;
    for (const auth::Challenge& challenge : *offered) text += (text.empty() ? "" : ", ") + challenge.scheme;
    return text.empty() ? "none" : text;
  }

 private:
  class Session final : public net::AuthSession {
   public:
    explicit Session(std::shared_ptr<std::vector<auth::Challenge>> offered) : offered_(std::move(offered)) {}
    net::Async<std::optional<std::string>> initial() override { co_return std::optional<std::string>(); }
    net::Async<std::string> answer(std::span<const std::string> challenges) override {
      *offered_ = auth::parse_challenges(challenges);
      co_return fail(ErrorDomain::autodiscover, "challenged", "the server wants credentials");
    }

   private:
    std::shared_ptr<std::vector<auth::Challenge>> offered_;
  };
};

/// What the reply to one request came to.
struct Reply {
  bool authenticated = false;
  std::optional<int> status;
  std::optional<Answer> answer;
  std::optional<net::Url> location;  ///< of an HTTP redirect
  std::optional<Error> error;
};

class Run {
 public:
  Run(net::HttpClient& http, net::Resolver& resolver, const Clock& clock, const Address& address,
      DiscoverySettings settings)
      : http_(http),
        resolver_(resolver),
        clock_(clock),
        asked_for_(address),
        current_(address),
        settings_(std::move(settings)),
        trust_(address.domain, settings_.allowed_hosts),
        deadline_(clock.steady_now() + settings_.total) {
    addresses_.insert(text::to_lower_ascii(address.text));
  }

  std::vector<TrailStep> trail;

  net::Async<model::MailboxFacts> run() {
    while (true) {
      restart_ = false;
      queue_candidates();
      if (lead_) queue_.push_front(*std::exchange(lead_, std::nullopt));
      while (!restart_ && !final_ && !queue_.empty()) {
        const Candidate candidate = std::move(queue_.front());
        queue_.pop_front();
        co_await ask(candidate);
        if (queue_.empty() && !restart_ && !final_) co_await widen();
      }
      if (final_) co_return std::move(*final_);
      if (!restart_) co_return verdict();
    }
  }

 private:
  void queue_candidates() {
    queue_.clear();
    stage_ = 0;
    // Tenants' own domains have no web servers: the cloud's host answers for all of them.
    if (const Cloud* cloud = cloud_of_domain(current_.domain)) {
      queue_.push_back({.host = std::string(cloud->autodiscover_host)});
      queue_.push_back({.host = std::string(cloud->ews_host)});
      return;
    }
    queue_.push_back({.host = current_.domain});
    queue_.push_back({.host = "autodiscover." + current_.domain});
  }

  /// The sources of candidates that cost more or promise less, one after the other.
  net::asio::awaitable<void> widen() {
    while (queue_.empty() && stage_ < 2 && !final_) {
      ++stage_;
      if (stage_ == 1) co_await probe_http();
      if (stage_ == 2) co_await look_up_srv();
    }
  }

  net::asio::awaitable<void> ask(const Candidate& candidate) {
    if (!candidate.json_asked) {
      const net::Url url = candidate.url(Method::json, json_target(current_.text));
      const std::size_t redirects = hops_;
      const auto told = co_await ask_service(Method::json, url);
      if (final_ || restart_) co_return;
      if (hops_ != redirects) {
        // Behind the new place: the other services of this one, should nothing come of it.
        Candidate rest = candidate;
        rest.json_asked = true;
        queue_.insert(queue_.begin() + 1, std::move(rest));
        co_return;
      }
      if (told && !weigh_json(*told, url)) co_return;
    }
    // A host that cannot be connected to for one service will not be for the next.
    for (const Method method : {Method::soap, Method::pox}) {
      if (host_is_dead_) break;
      const net::Url url = candidate.url(method, method == Method::soap ? soap_path : pox_path);
      const std::size_t redirects = hops_;
      const int refusals = refusals_;
      const auto answer = co_await ask_service(method, url);
      if (answer) {
        auto endpoint = choose_endpoint(*answer);
        if (endpoint) {
          finish(method, *answer, url, *endpoint);
        } else {
          amend(StepOutcome::refused, endpoint.error());
        }
      }
      if (final_ || restart_ || hops_ != redirects) co_return;
      // The same password would be refused again.
      if (refusals_ != refusals) co_return;
    }
    if (fallback_ && !refusal_) final_ = *fallback_;
  }

  /// v2 answers everybody and proves little. True: go on and ask the services that check credentials at this
  /// host.
  bool weigh_json(const Answer& told, const net::Url& by) {
    auto endpoint = choose_endpoint(told);
    if (!endpoint) {
      amend(StepOutcome::refused, endpoint.error());
      return true;
    }
    finish(Method::json, told, by, *endpoint);
    if (!may_authenticate(endpoint->url.host)) return false;
    if (!fallback_) fallback_ = *final_;
    final_.reset();
    const Cloud* cloud = cloud_of_host(endpoint->url.host);
    if (cloud != nullptr && cloud_of_host(by.host) == nullptr) {
      // Credentials for the cloud are no business of the server that points there.
      queue_.push_front({.host = std::string(cloud->autodiscover_host), .json_asked = true});
      return false;
    }
    return true;
  }

  /// Asks one service, writes the trail, follows redirects into the queue. Settings come back; all else is
  /// dealt with.
  net::asio::awaitable<std::optional<Answer>> ask_service(Method method, const net::Url& url) {
    host_is_dead_ = false;
    // The trail has it already.
    if (!asked_.insert(key_of(method, url)).second) co_return std::nullopt;
    if (over_budget()) co_return std::nullopt;
    Reply reply = co_await request(method, url);
    authenticated_ = reply.authenticated;
    own_server_answered_ = own_server_answered_ || (!reply.error && cloud_of_host(url.host) == nullptr);
    TrailStep step{method, current_.text, url.to_string(), reply.status, StepOutcome::failed, {}};
    if (reply.error) {
      judge_error(*reply.error, step);
      trail.push_back(std::move(step));
      co_return std::nullopt;
    }
    any_answer_ = true;
    if (reply.location) {
      step.outcome = StepOutcome::redirected;
      step.reason = "to " + reply.location->to_string();
      trail.push_back(std::move(step));
      follow_url(*reply.location, method);
      co_return std::nullopt;
    }
    Answer& answer = *reply.answer;
    switch (answer.kind) {
      case Answer::Kind::settings:
        step.outcome = StepOutcome::found;
        trail.push_back(std::move(step));
        co_return std::move(answer);
      case Answer::Kind::redirect_address:
        step.outcome = StepOutcome::redirected;
        step.reason = "to the address " + answer.target;
        trail.push_back(std::move(step));
        follow_address(answer.target);
        break;
      case Answer::Kind::redirect_url:
        step.outcome = StepOutcome::redirected;
        step.reason = "to " + answer.target;
        trail.push_back(std::move(step));
        if (auto target = net::parse_url(answer.target)) {
          follow_url(*target, method);
        } else {
          amend(StepOutcome::refused, "to something that is no usable URL: " + answer.target);
        }
        break;
      case Answer::Kind::error:
        step.reason = answer.code + (answer.text.empty() ? "" : ": " + answer.text);
        // SOAP's InvalidUser and POX's 500 ("The email address cannot be found.") are about the mailbox.
        if ((method == Method::soap && answer.code == "InvalidUser") ||
            (method == Method::pox && answer.code == "500")) {
          unknown_mailbox_ = true;
        }
        trail.push_back(std::move(step));
        break;
    }
    co_return std::nullopt;
  }

  std::string key_of(Method method, const net::Url& url) const {
    return std::string(to_string(method)) + " " + url.to_string() + " " + current_.text;
  }

  net::Async<net::HttpResponse> send(Method method, const net::Url& url,
                                     std::shared_ptr<net::Authenticator> authenticator) {
    if (settings_.progress) settings_.progress(url.to_string());
    net::HttpRequest message;
    message.url = url;
    message.headers.set("Accept", method == Method::json ? "application/json" : "text/xml");
    if (method == Method::soap || method == Method::pox) {
      message.method = "POST";
      message.headers.set("Content-Type", "text/xml; charset=utf-8");
      message.body = std::make_shared<net::StringSource>(
          method == Method::soap ? soap_request(current_.text, url.to_string()) : pox_request(current_.text));
    }
    if (method == Method::soap) {
      message.headers.set(
          "SOAPAction",
          "\"http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings\"");
    }
    net::HttpOptions options;
    options.limits.connect = std::chrono::milliseconds(10'000);
    options.limits.handshake = std::chrono::milliseconds(10'000);
    options.limits.first_octet = settings_.request_total;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.steady_now());
    options.limits.total = std::min(settings_.request_total, left);
    options.limits.body_octets = max_answer_octets;
    options.pool = "autodiscover";
    options.authenticator = std::move(authenticator);
    return http_.send(std::move(message), std::move(options));
  }

  net::asio::awaitable<Reply> request(Method method, const net::Url& url) {
    ++requests_;
    // First without credentials: only a server that asks for them is given any, and a web server that happens
    // to stand there is not.
    const auto probe = std::make_shared<SchemeProbe>();
    auto response = co_await send(method, url, probe);
    const bool challenged = !response && response.error().code == "challenged";
    if (!challenged) co_return read(method, url, std::move(response));

    Reply reply;
    reply.status = 401;
    reply.error = Error{.domain = ErrorDomain::autodiscover,
                        .code = "needs-credentials",
                        .message = "it wants credentials (" + probe->list() + ")"};
    const bool asks = method == Method::soap || method == Method::pox;
    if (!asks || !may_authenticate(url.host)) co_return reply;
    if (settings_.credentials->scheme() == "bearer" &&
        auth::find_challenge(*probe->offered, "bearer") == nullptr) {
      reply.error->message += ", and no bearer token";
      co_return reply;
    }
    ++requests_;
    response = co_await send(method, url, settings_.credentials);
    if (!response && response.error().code == "scheme-not-offered") {
      reply.error->message = response.error().message;
      co_return reply;
    }
    if (!response && response.error().domain == ErrorDomain::auth) {
      reply.error = std::move(response).error();
      co_return reply;
    }
    reply = read(method, url, std::move(response));
    reply.authenticated = true;
    co_return reply;
  }

  static Reply read(Method method, const net::Url& url, Result<net::HttpResponse> response) {
    Reply reply;
    if (!response) {
      reply.status = response.error().http_status;
      reply.error = std::move(response).error();
      return reply;
    }
    reply.status = response->status;
    if (is_redirect(response->status)) {
      const auto location = response->headers.find("Location");
      auto target = location ? net::resolve_reference(url, *location) : parse_nothing();
      if (target) {
        reply.location = std::move(*target);
      } else {
        reply.error = Error{.domain = ErrorDomain::autodiscover,
                            .code = "bad-redirect",
                            .message = "it redirects to something that is no usable URL"};
      }
      return reply;
    }
    if (response->status != 200 && !(method == Method::soap && response->status == 500)) {
      // v2 says with 400, 403 or 404 and a JSON body why it does not know.
      if (method == Method::json) {
        if (auto said = read_json(response->body); said && said->kind == Answer::Kind::error) {
          reply.answer = std::move(*said);
          return reply;
        }
      }
      reply.error = Error{.domain = ErrorDomain::autodiscover,
                          .code = "http-status",
                          .message = "it answers with status " + std::to_string(response->status)};
      return reply;
    }
    auto answer = method == Method::json   ? read_json(response->body)
                  : method == Method::soap ? read_soap(response->body)
                                           : read_pox(response->body);
    if (answer) {
      reply.answer = std::move(*answer);
    } else {
      reply.error = std::move(answer).error();
    }
    return reply;
  }

  static Result<net::Url> parse_nothing() {
    return fail(ErrorDomain::autodiscover, "bad-redirect", "no Location");
  }

  void judge_error(const Error& error, TrailStep& step) {
    step.reason = error.message;
    if (error.code == "cancelled") {
      final_ = fail(error);
    } else if (error.code == "needs-credentials") {
      step.outcome = StepOutcome::needs_credentials;
      any_answer_ = true;
      wants_credentials_ = true;
    } else if (error.domain == ErrorDomain::auth) {
      step.outcome = StepOutcome::refused;
      refusal_ = error;
      any_answer_ = true;
      // A password that a server refuses may be right for the next one; a token endpoint or a KDC that does
      // not help will not help there either.
      const bool by_server = error.code == "credentials-refused" || error.code == "token-refused" ||
                             error.code == "unauthorized";
      if (!by_server || ++refusals_ >= max_credential_refusals) final_ = fail(error);
    } else if (error.domain == ErrorDomain::tls) {
      host_is_dead_ = true;
      if (error.code == "certificate") bad_certificate_ = true;
    } else if (error.domain == ErrorDomain::net) {
      host_is_dead_ = true;
    } else {
      any_answer_ = true;
    }
  }

  void follow_url(const net::Url& target, Method method) {
    if (auto allowed = trust_.url(target); !allowed) {
      refuse_redirect(allowed.error());
      return;
    }
    if (method == Method::json) {
      // The services that check credentials know the mailbox there by its new address alone.
      const auto named = address_of_json_target(target.target);
      if (named && !text::equals_ignore_case(*named, current_.text)) {
        if (follow_address(*named))
          lead_ =
              Candidate{.host = target.host, .port = target.port, .service = method, .target = target.target};
        return;
      }
    }
    if (asked_.contains(key_of(method, target))) {
      amend(StepOutcome::refused, "to " + target.to_string() + ", which was asked before: a loop");
      return;
    }
    if (!count_hop()) return;
    // A server that has moved has moved with all its services.
    queue_.push_front({.host = target.host, .port = target.port, .service = method, .target = target.target});
  }

  /// True: all begins anew with that address.
  bool follow_address(const std::string& text) {
    auto target = parse_address(text);
    if (!target) {
      amend(StepOutcome::refused, "to something that is no address");
      return false;
    }
    if (auto allowed = trust_.address(*target); !allowed) {
      refuse_redirect(allowed.error());
      return false;
    }
    if (!addresses_.insert(text::to_lower_ascii(target->text)).second) {
      amend(StepOutcome::refused, "to the address " + target->text + ", where it came from: a loop");
      final_ = fail(ErrorDomain::autodiscover, "redirect-loop",
                    "Autodiscover leads back to the address " + target->text);
      return false;
    }
    if (!count_hop()) return false;
    trust_.adopt(*target);
    current_ = std::move(*target);
    restart_ = true;
    return true;
  }

  void refuse_redirect(const Error& error) {
    if (!refused_redirect_) refused_redirect_ = error;
    amend(StepOutcome::refused, error);
  }

  bool count_hop() {
    if (++hops_ <= static_cast<std::size_t>(settings_.max_hops)) return true;
    final_ = fail(ErrorDomain::autodiscover, "too-many-hops",
                  "Autodiscover redirects more than " + std::to_string(settings_.max_hops) + " times");
    return false;
  }

  bool over_budget() {
    if (clock_.steady_now() >= deadline_) {
      final_ = fail(ErrorDomain::autodiscover, "deadline", "Autodiscover took too long", RetryClass::after);
    } else if (requests_ >= settings_.max_requests) {
      final_ = fail(ErrorDomain::autodiscover, "too-many-hops", "Autodiscover needs too many requests");
    }
    return final_.has_value();
  }

  void amend(StepOutcome outcome, std::string reason) {
    trail.back().outcome = outcome;
    trail.back().reason = std::move(reason);
  }
  void amend(StepOutcome outcome, const Error& error) { amend(outcome, error.message); }

  /// Only to read where it leads; nothing is sent but the host's name.
  net::asio::awaitable<void> probe_http() {
    if (cloud_of_domain(current_.domain) != nullptr || over_budget()) co_return;
    net::Url url = https("autodiscover." + current_.domain, pox_path, 80);
    url.scheme = "http";
    ++requests_;
    auto response = co_await send(Method::http_redirect, url, nullptr);
    TrailStep step{Method::http_redirect, current_.text, url.to_string(), {}, StepOutcome::failed, {}};
    if (!response) {
      step.status = response.error().http_status;
      judge_error(response.error(), step);
      trail.push_back(std::move(step));
      co_return;
    }
    any_answer_ = true;
    step.status = response->status;
    const auto location = response->headers.find("Location");
    auto target =
        is_redirect(response->status) && location ? net::resolve_reference(url, *location) : parse_nothing();
    if (!target) {
      step.reason = "it does not redirect";
      trail.push_back(std::move(step));
      co_return;
    }
    step.outcome = StepOutcome::redirected;
    step.reason = "to " + target->to_string();
    trail.push_back(std::move(step));
    if (auto allowed = trust_.url(*target); !allowed) {
      refuse_redirect(allowed.error());
      co_return;
    }
    if (!count_hop()) co_return;
    queue_.push_back({.host = target->host, .port = target->port});
  }

  net::asio::awaitable<void> look_up_srv() {
    if (cloud_of_domain(current_.domain) != nullptr || over_budget()) co_return;
    const std::string name = "_autodiscover._tcp." + current_.domain;
    auto records = co_await resolver_.srv(name);
    TrailStep step{Method::srv, current_.text, name, {}, StepOutcome::failed, {}};
    if (!records || records->empty()) {
      if (!records && records.error().code == "cancelled") final_ = fail(records.error());
      step.reason = records ? "there is no such record" : records.error().message;
      trail.push_back(std::move(step));
      co_return;
    }
    for (const net::SrvRecord& record : *records) {
      std::string host = text::to_lower_ascii(record.target);
      while (!host.empty() && host.back() == '.') host.pop_back();
      auto url = net::parse_url("https://" + host + ":" + std::to_string(record.port) + "/");
      TrailStep found = step;
      found.outcome = StepOutcome::redirected;
      found.reason = "to " + host + ":" + std::to_string(record.port);
      trail.push_back(std::move(found));
      if (!url) {
        amend(StepOutcome::refused, "to something that is no host");
        continue;
      }
      if (auto allowed = trust_.url(*url); !allowed) {
        refuse_redirect(allowed.error());
        continue;
      }
      if (!count_hop()) co_return;
      queue_.push_back({.host = url->host, .port = url->port});
    }
  }

  bool may_authenticate(const std::string& host) const {
    if (!settings_.credentials) return false;
    // Exchange Online takes tokens only: a password sent there would be given away for nothing.
    return cloud_of_host(host) == nullptr || settings_.credentials->scheme() == "bearer";
  }

  struct Endpoint {
    net::Url url;
    bool internal;
  };

  /// The first of the two URLs that is https and on a trusted host.
  Result<Endpoint> choose_endpoint(const Answer& answer) const {
    const std::pair<const std::string*, bool> order[] = {
        {settings_.prefer_internal ? &answer.internal_ews_url : &answer.external_ews_url,
         settings_.prefer_internal},
        {settings_.prefer_internal ? &answer.external_ews_url : &answer.internal_ews_url,
         !settings_.prefer_internal}};
    std::optional<Error> reason;
    for (const auto& [text, internal] : order) {
      if (text->empty()) continue;
      auto url = net::parse_url(*text);
      if (!url) {
        if (!reason)
          reason = Error{.domain = ErrorDomain::autodiscover,
                         .code = "bad-endpoint",
                         .message = "its endpoint is no usable URL"};
        continue;
      }
      auto allowed = trust_.url(*url);
      if (allowed) return Endpoint{std::move(*url), internal};
      if (!reason) reason = std::move(allowed).error();
    }
    if (!reason)
      reason = Error{
          .domain = ErrorDomain::autodiscover, .code = "no-endpoint", .message = "it names no EWS endpoint"};
    return fail(std::move(*reason));
  }

  void finish(Method method, const Answer& answer, const net::Url& by, const Endpoint& endpoint) {
    model::MailboxFacts facts;
    facts.address = asked_for_.text;
    facts.primary_address = asked_for_.text;
    if (const auto primary = parse_address(answer.primary_address)) facts.primary_address = primary->text;
    const Cloud* cloud = cloud_of_host(endpoint.url.host);
    facts.location = cloud != nullptr ? model::MailboxLocation::online : model::MailboxLocation::on_premises;
    if (cloud != nullptr) facts.cloud = cloud->name;
    facts.ews_endpoint = endpoint.url.to_string();
    facts.endpoint_internal = endpoint.internal;
    if (!answer.server_version.empty()) facts.server_version = answer.server_version;
    facts.server_type = cloud != nullptr ? "Exchange Online" : product_of_version(answer.server_version);
    if (facts.server_type.empty()) facts.server_type = "Exchange Server";
    if (facts.server_type == "Exchange Online") facts.location = model::MailboxLocation::online;
    if (!answer.supported_schemas.empty()) facts.supported_schemas = answer.supported_schemas;
    facts.grouping_information = answer.grouping_information;
    if (!answer.display_name.empty()) facts.display_name = answer.display_name;
    facts.remote = facts.location == model::MailboxLocation::online && own_server_answered_;
    facts.confirmed = authenticated_;
    facts.found_by = to_string(method);
    facts.found_at = by.to_string();
    facts.found_when = clock_.now();
    amend(StepOutcome::found, "the endpoint is " + facts.ews_endpoint);
    final_ = std::move(facts);
  }

  /// Nothing was found: the most telling reason of all steps.
  Result<model::MailboxFacts> verdict() const {
    const auto no = [](std::string code, std::string message, RetryClass retry = RetryClass::never) {
      return fail(ErrorDomain::autodiscover, std::move(code), std::move(message), retry);
    };
    if (refusal_) return fail(*refusal_);
    if (fallback_) return *fallback_;
    if (unknown_mailbox_)
      return no("unknown-mailbox", "The server does not know the mailbox " + current_.text);
    if (refused_redirect_) return no("redirect-refused", refused_redirect_->message);
    if (wants_credentials_) {
      return no("needs-credentials",
                "A server answers Autodiscover for " + current_.domain + ", but only to someone who signs in",
                RetryClass::reauthenticate);
    }
    if (any_answer_) return no("not-found", "No server of " + current_.domain + " answers Autodiscover");
    if (bad_certificate_) {
      return no("certificate", "The certificates of " + current_.domain + "'s servers cannot be trusted");
    }
    return no("unreachable", "No server of " + current_.domain + " could be reached", RetryClass::after);
  }

  net::HttpClient& http_;
  net::Resolver& resolver_;
  const Clock& clock_;
  const Address asked_for_;
  Address current_;
  const DiscoverySettings settings_;
  Trust trust_;
  const SteadyTime deadline_;

  std::deque<Candidate> queue_;
  std::optional<Candidate> lead_;  ///< goes before those of a new address
  std::set<std::string> asked_;
  std::set<std::string> addresses_;
  std::size_t hops_ = 0;
  int requests_ = 0;
  int refusals_ = 0;
  int stage_ = 0;
  bool restart_ = false;
  bool authenticated_ = false;        ///< the last reply came after credentials were accepted
  bool own_server_answered_ = false;  ///< one that is not Microsoft's
  bool host_is_dead_ = false;
  bool any_answer_ = false;
  bool wants_credentials_ = false;
  bool unknown_mailbox_ = false;
  bool bad_certificate_ = false;
  std::optional<Error> refusal_;
  std::optional<Error> refused_redirect_;
  std::optional<Result<model::MailboxFacts>> fallback_;  ///< v2's word, for want of a better one
  std::optional<Result<model::MailboxFacts>> final_;
};

}  // namespace

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::json:
      return "json";
    case Method::soap:
      return "soap";
    case Method::pox:
      return "pox";
    case Method::http_redirect:
      return "http-redirect";
    case Method::srv:
      return "srv";
  }
  return "json";
}

std::string_view to_string(StepOutcome outcome) noexcept {
  switch (outcome) {
    case StepOutcome::found:
      return "found";
    case StepOutcome::redirected:
      return "redirected";
    case StepOutcome::refused:
      return "refused";
    case StepOutcome::needs_credentials:
      return "needs-credentials";
    case StepOutcome::failed:
      return "failed";
  }
  return "failed";
}

net::asio::awaitable<Discovery> discover(net::HttpClient& http, net::Resolver& resolver, const Clock& clock,
                                         std::string address, DiscoverySettings settings) {
  auto parsed = parse_address(address);
  if (!parsed) co_return Discovery{fail(std::move(parsed).error()), {}};
  Run run(http, resolver, clock, *parsed, std::move(settings));
  auto facts = co_await run.run();
  co_return Discovery{std::move(facts), std::move(run.trail)};
}

}  // namespace syncline::ews::autodiscover
