// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline auth login|status|logout`: the OAuth sign-in of a mailbox's user.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "auth/device_code.hpp"
#include "auth/fips.hpp"
#include "auth/sign_in.hpp"
#include "auth/stored_grant.hpp"
#include "base/text.hpp"
#include "cli/organisation_command.hpp"
#include "cli/terminal_secret.hpp"
#include "service/engine/connections.hpp"
#include "service/organisation/damaged_secret.hpp"
#include "service/organisation/mailbox_token.hpp"
#include "store/journal.hpp"
#include "sync/sign_in.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;
namespace json = boost::json;
using std::chrono::seconds;

struct Options {
  std::string address;
  bool paste = false;
  bool device = false;
  bool no_browser = false;
  bool ask_server = false;
  bool local = false;
  int timeout_s = 600;
  std::string format = "text";
  std::string who;
  std::string reason;
};

Error input_error(std::string code, std::string message) {
  return {.domain = ErrorDomain::input, .code = std::move(code), .message = std::move(message)};
}

/// A mailbox of an organisation with what its sign-in needs.
struct Opened {
  std::unique_ptr<service::Organisation> organisation = nullptr;
  std::string address;
  store::MailboxId mailbox = 0;
  model::Profile profile = {};
  bool fips = false;  ///< the organisation requires it

  /// Before the first connection.
  Result<void> may_connect() const { return fips ? auth::require_fips_provider() : Result<void>(); }
};

Result<Opened> open_mailbox(const Globals& globals, OpenFor purpose, const std::string& address) {
  auto organisation = open_organisation(globals, purpose);
  if (!organisation) return fail(std::move(organisation).error());
  auto stored = (*organisation)->load();
  if (!stored) return fail(std::move(stored).error());
  Opened opened{.address = text::to_lower_ascii(address)};
  const model::Mailbox* mailbox = stored->configuration.mailbox_of(opened.address);
  const auto standing = stored->mailboxes.find(opened.address);
  if (mailbox == nullptr || standing == stored->mailboxes.end())
    return fail(input_error("no-mailbox", fmt::format("There is no mailbox {}", opened.address)));
  const model::Profile* profile = stored->configuration.profile_of(*mailbox);
  if (profile == nullptr)
    return fail(input_error("no-profile", "The mailbox names no profile, and there is no default one"));
  opened.organisation = std::move(*organisation);
  opened.mailbox = standing->second.id;
  opened.profile = *profile;
  opened.fips = service::requires_fips(stored->configuration.organisation.environment);
  return opened;
}

/// Runs coroutines to their end, one after the other. Ctrl-C ends the program: nothing is half done before
/// the last step writes.
class Runner {
 public:
  Runner() : signals_(context_) {}
  asio::io_context& context() { return context_; }

  /// From here on; run() does it by itself. Not before reading from a terminal, which would not notice.
  void watch_for_interrupts() {
    if (std::exchange(watching_, true)) return;
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([](const boost::system::error_code& failure, int) {
      if (failure) return;
      complain("interrupted");
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(ExitStatus::interrupted));
    });
  }

  template <class T>
  Result<T> run(net::Async<T> work) {
    watch_for_interrupts();
    std::optional<Result<T>> outcome;
    asio::co_spawn(
        context_,
        [](net::Async<T> wanted, std::optional<Result<T>>& out) -> asio::awaitable<void> {
          out.emplace(co_await std::move(wanted));
        }(std::move(work), outcome),
        [](const std::exception_ptr& thrown) {
          if (thrown) std::rethrow_exception(thrown);
        });
    while (!outcome && context_.run_one() > 0) {
    }
    if (!outcome) return fail(ErrorDomain::local, "interrupted", "interrupted");
    return std::move(*outcome);
  }

 private:
  asio::io_context context_;
  asio::signal_set signals_;
  bool watching_ = false;
};

ExitStatus report_remote(const Error& error) {
  const ExitStatus status = report(error);
  const bool unreachable = error.domain == ErrorDomain::net && error.code != "cancelled";
  return unreachable ? ExitStatus::unreachable : status;
}

/// Now, not when the output is full: somebody waits for it.
void say(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void open_browser(const std::string& url) {
  if (std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr) return;
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "xdg-open";
  std::string argument = url;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  // Whether a browser came up, the person sees; the address stands on the terminal.
  (void)posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
}

class SignIn {
 public:
  SignIn(const Options& options, const Opened& opened, service::OAuthEndpoints endpoints, Runner& runner,
         service::Connections::Network& network)
      : options_(options),
        address_(opened.address),
        endpoints_(std::move(endpoints)),
        runner_(runner),
        network_(network) {}

  Result<auth::TokenGrant> by_browser() {
    if (!endpoints_.authorisation)
      return fail(input_error("bad-settings", "The profile has no authorization_endpoint"));
    net::Environment& world = network_.environment();
    auto listener = auth::listen_for_redirect(world);
    if (!listener) return fail(std::move(listener).error());
    const auth::Pkce pkce = auth::make_pkce(world.random);
    const std::string redirect = redirect_uri((*listener)->port());
    // A browser elsewhere finds nothing at its own loopback address; here it must not find us either.
    if (options_.paste)
      listener->reset();
    else
      runner_.watch_for_interrupts();
    const std::string url = auth::authorisation_url(request(redirect), pkce);
    say(fmt::format("To sign in {}, open this address in a browser:\n\n{}\n\n", shown(address_), url));
    if (!options_.paste && !options_.no_browser) open_browser(url);
    Result<Secret> code = options_.paste
                              ? pasted_code(pkce.state)
                              : runner_.run((*listener)->wait(pkce.state, seconds(options_.timeout_s)));
    if (!code) return fail(std::move(code).error());
    return runner_.run(
        auth::redeem_code(environment(), endpoints_.token, std::move(*code), redirect, pkce.verifier));
  }

  Result<auth::TokenGrant> by_device() {
    if (!endpoints_.device) {
      return fail(
          input_error("bad-settings",
                      "The profile has no device_endpoint, and its provider lets no device sign in for "
                      "mail; use --paste on a machine without a browser"));
    }
    auto asked = runner_.run(auth::request_device_code(environment(), endpoints_.token, *endpoints_.device));
    if (!asked) return fail(std::move(asked).error());
    say(fmt::format("To sign in {}, open {} on any device and enter the code {} within {} minutes.\n",
                    shown(address_), shown(asked->verification_uri), shown(asked->user_code),
                    std::max<std::int64_t>(1, asked->lifetime.count() / 60)));
    if (!asked->complete_uri.empty()) say(fmt::format("Or open {}\n", shown(asked->complete_uri)));
    return runner_.run(auth::wait_for_device(environment(), network_.environment().timers, endpoints_.token,
                                             std::move(*asked)));
  }

 private:
  auth::TokenEnvironment environment() {
    net::Environment& world = network_.environment();
    return {.executor = world.executor, .http = *network_.http, .clock = world.clock, .random = world.random};
  }
  std::string redirect_uri(std::uint16_t port) const {
    return fmt::format("http://{}:{}/", endpoints_.redirect_host, port);
  }
  auth::AuthorisationRequest request(const std::string& redirect) const {
    return {.endpoint = *endpoints_.authorisation,
            .client_id = endpoints_.token.client_id,
            .scope = endpoints_.token.scope,
            .redirect_uri = redirect,
            .login_hint = address_,
            .extra = endpoints_.authorisation_extra};
  }
  Result<Secret> pasted_code(const std::string& state) const {
    say("The browser ends at an address that it cannot open; copy that address from its address bar.\n");
    auto line = isatty(STDIN_FILENO) != 0 ? prompt_secret("Address: ") : read_secret_line();
    if (!line) return line;
    return auth::read_redirect(line->reveal(), state);
  }

  const Options& options_;
  const std::string& address_;
  service::OAuthEndpoints endpoints_;
  Runner& runner_;
  service::Connections::Network& network_;
};

/// Google lets people tick off single permissions.
std::string missing_scope(const service::OAuthEndpoints& endpoints, const auth::TokenGrant& grant) {
  if (endpoints.token.provider != auth::OAuthProvider::google || grant.scope.empty()) return {};
  const auto granted = text::split(grant.scope, ' ');
  for (const std::string_view wanted : text::split(endpoints.token.scope, ' ')) {
    if (!wanted.empty() && std::find(granted.begin(), granted.end(), wanted) == granted.end())
      return std::string(wanted);
  }
  return {};
}

Result<void> keep(Opened& opened, const auth::StoredGrant& grant, const Options& options) {
  auto vault = opened.organisation->vault();
  if (!vault) return fail(std::move(vault).error());
  const Secret sealed = grant.print();
  return opened.organisation->store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    service::SealedRows rows(transaction);
    if (auto put = (*vault)->put(rows, {{"mailbox", opened.address}, "token"}, sealed); !put) return put;
    if (auto cleared = store::clear_alert(transaction, opened.mailbox, sync::sign_in_alert); !cleared)
      return cleared;
    return store::append_audit(transaction, {.who = options.who.empty() ? current_user() : options.who,
                                             .act = "auth.login",
                                             .object = "mailbox " + opened.address,
                                             .reason = options.reason});
  });
}

ExitStatus run_login(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  auto opened = open_mailbox(globals, OpenFor::writing, options.address);
  if (!opened) return report(opened.error());
  if (auto allowed = opened->may_connect(); !allowed) return report(allowed.error());
  // Before anybody signs in: whether it could be kept.
  if (auto vault = opened->organisation->vault(); !vault) return report(vault.error());
  auto delegated = service::service_account_of(*opened->organisation, opened->profile);
  if (!delegated) return report(delegated.error());
  if (*delegated) {
    return report(input_error("service-account",
                              fmt::format("The profile {} acts for its users by a service account: nobody "
                                          "needs to sign in",
                                          opened->profile.name)));
  }
  auto endpoints = service::oauth_endpoints(opened->profile);
  if (!endpoints) return report(endpoints.error());
  auto proof = service::client_proof(*opened->organisation, opened->profile);
  if (!proof) return report(proof.error());
  endpoints->token.proof = std::move(*proof);

  Runner runner;
  service::Connections connections(runner.context().get_executor());
  auto network = connections.network_of(opened->profile);
  if (!network) return report(network.error());
  SignIn sign_in(options, *opened, *endpoints, runner, **network);
  auto grant = options.device ? sign_in.by_device() : sign_in.by_browser();
  if (!grant && grant.error().code == "interrupted") return ExitStatus::interrupted;
  if (!grant) return report_remote(grant.error());
  if (const std::string missing = missing_scope(*endpoints, *grant); !missing.empty()) {
    return report({.domain = ErrorDomain::auth,
                   .code = "missing-scope",
                   .message = "The sign-in does not grant " + missing + "; sign in again and tick it"});
  }
  const SystemTime now = opened->organisation->clock().now();
  auth::StoredGrant kept{
      .refresh_token = std::move(grant->refresh_token), .obtained = now, .scope = grant->scope};
  if (grant->refresh_lifetime.count() > 0) kept.ends = now + grant->refresh_lifetime;
  if (auto done = keep(*opened, kept, options); !done) return report(done.error());
  Output output;
  output.text() = fmt::format("Signed in {}.\n", shown(opened->address));
  if (kept.ends && *kept.ends - now < std::chrono::hours(24 * 30)) {
    output.text() += fmt::format("This sign-in ends on {}{}.\n", print_time(*kept.ends),
                                 endpoints->token.provider == auth::OAuthProvider::google
                                     ? ": the app's publishing status is Testing. Publish it or make it "
                                       "internal in the Google Cloud console to sign in for good"
                                     : "");
  }
  return finish(output, ExitStatus::done);
}

enum class State : std::uint8_t { signed_in, signed_out, needs_sign_in, service_account };

std::string_view word_of(State state) noexcept {
  switch (state) {
    case State::signed_in:
      return "signed-in";
    case State::signed_out:
      return "signed-out";
    case State::needs_sign_in:
      return "needs-sign-in";
    case State::service_account:
      return "service-account";
  }
  return {};
}

struct Status {
  State state = State::signed_out;
  auth::StoredGrant grant = {};
};

Result<Status> read_status(Opened& opened) {
  auto delegated = service::service_account_of(*opened.organisation, opened.profile);
  if (!delegated) return fail(std::move(delegated).error());
  if (*delegated) return Status{.state = State::service_account};
  auto kept = opened.organisation->secrets().get(service::sign_in_key(opened.address));
  if (!kept) return fail(std::move(kept).error());
  if (!*kept) return Status{};
  auto grant = auth::StoredGrant::parse(**kept);
  if (!grant) return fail(std::move(grant).error());
  const bool over = grant->ends && *grant->ends <= opened.organisation->clock().now();
  return Status{.state = grant->refusal || over ? State::needs_sign_in : State::signed_in,
                .grant = std::move(*grant)};
}

/// One request for an access token.
Result<void> ask_server(Opened& opened) {
  if (auto allowed = opened.may_connect(); !allowed) return allowed;
  Runner runner;
  service::Connections connections(runner.context().get_executor());
  auto network = connections.network_of(opened.profile);
  if (!network) return fail(std::move(network).error());
  net::Environment& world = (*network)->environment();
  auto source = service::mailbox_token(
      *opened.organisation,
      {.executor = world.executor, .http = *(*network)->http, .clock = world.clock, .random = world.random},
      opened.profile, opened.address);
  if (!source) return fail(std::move(source).error());
  auto token = runner.run((*source)->token());
  if (!token) return fail(std::move(token).error());
  return {};
}

void print_status(Output& output, const Opened& opened, const Status& status, const Options& options) {
  const auto& grant = status.grant;
  if (options.format == "json") {
    json::object object{{"mailbox", opened.address},
                        {"profile", opened.profile.name},
                        {"state", word_of(status.state)},
                        {"since", nullptr},
                        {"ends", nullptr},
                        {"scope", nullptr},
                        {"refusedAt", nullptr},
                        {"reason", nullptr}};
    if (grant.obtained) object["since"] = print_time(*grant.obtained);
    if (grant.ends) object["ends"] = print_time(*grant.ends);
    if (!grant.scope.empty()) object["scope"] = grant.scope;
    if (grant.refusal) {
      object["refusedAt"] = print_time(grant.refusal->at);
      object["reason"] = grant.refusal->message;
    }
    append_line(output, object);
    return;
  }
  std::string line = shown(opened.address) + ": ";
  switch (status.state) {
    case State::signed_in:
      line += "signed in";
      if (grant.obtained) line += " since " + print_time(*grant.obtained);
      if (grant.ends) line += ", until " + print_time(*grant.ends);
      break;
    case State::signed_out:
      line += "not signed in; syncline auth login";
      break;
    case State::needs_sign_in:
      line += grant.refusal ? "needs a new sign-in since " + print_time(grant.refusal->at) + ": " +
                                  shown(grant.refusal->message)
                            : "needs a new sign-in: the last one ended on " + print_time(*grant.ends);
      break;
    case State::service_account:
      line += "served by the service account of profile " + shown(opened.profile.name);
      break;
  }
  output.text() += line + "\n";
}

ExitStatus run_status(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  auto opened =
      open_mailbox(globals, options.ask_server ? OpenFor::writing : OpenFor::reading, options.address);
  if (!opened) return report(opened.error());
  auto status = read_status(*opened);
  if (!status) return report(status.error());
  ExitStatus exit = ExitStatus::done;
  if (options.ask_server && status->state != State::signed_out && status->state != State::needs_sign_in) {
    if (auto asked = ask_server(*opened); !asked) {
      if (asked.error().code == "interrupted") return ExitStatus::interrupted;
      exit = report_remote(asked.error());
    }
    status = read_status(*opened);
    if (!status) return report(status.error());
  }
  if (status->state == State::signed_out || status->state == State::needs_sign_in)
    exit = worse(exit, ExitStatus::refused);
  Output output;
  print_status(output, *opened, *status, options);
  return finish(output, exit);
}

/// Whether the server knows that the token is not needed any more; nothing to do where it does not want to
/// know.
Result<void> revoke(Opened& opened, const Secret& refresh_token) {
  auto endpoints = service::oauth_endpoints(opened.profile);
  if (!endpoints) return fail(std::move(endpoints).error());
  if (!endpoints->revocation) return {};
  if (auto allowed = opened.may_connect(); !allowed) return allowed;
  auto proof = service::client_proof(*opened.organisation, opened.profile);
  if (!proof) return fail(std::move(proof).error());
  endpoints->token.proof = std::move(*proof);
  Runner runner;
  service::Connections connections(runner.context().get_executor());
  auto network = connections.network_of(opened.profile);
  if (!network) return fail(std::move(network).error());
  net::Environment& world = (*network)->environment();
  return runner.run(auth::revoke_token(
      {.executor = world.executor, .http = *(*network)->http, .clock = world.clock, .random = world.random},
      endpoints->token, *endpoints->revocation, refresh_token));
}

ExitStatus run_logout(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  auto opened = open_mailbox(globals, OpenFor::writing, options.address);
  if (!opened) return report(opened.error());
  auto kept = opened->organisation->secrets().get(service::sign_in_key(opened->address));
  const bool is_damaged = !kept && kept.error().code == service::secret_damaged;
  if (!kept && !is_damaged) return report(kept.error());
  Output output;
  if (kept && !*kept) {
    output.text() = fmt::format("{} is not signed in.\n", shown(opened->address));
    return finish(output, ExitStatus::done);
  }
  ExitStatus exit = ExitStatus::done;
  if (is_damaged) {
    exit = report(kept.error());
    complain("the sign-in is forgotten here; end it at the provider, whom nothing could be told");
  }
  const auto grant = kept ? auth::StoredGrant::parse(**kept) : fail(kept.error());
  if (grant && !grant->refusal && !options.local) {
    if (auto revoked = revoke(*opened, grant->refresh_token); !revoked) {
      if (revoked.error().code == "interrupted") return ExitStatus::interrupted;
      complain("the token is forgotten here, but the server still honours it:");
      exit = worse(report_remote(revoked.error()), ExitStatus::refused);
    }
  }
  auto removed =
      opened->organisation->store().write<void>([&](store::Transaction& transaction) -> Result<void> {
        service::SealedRows rows(transaction);
        if (auto gone = vault::remove_secret(rows, {{"mailbox", opened->address}, "token"}); !gone)
          return gone;
        return store::append_audit(transaction, {.who = options.who.empty() ? current_user() : options.who,
                                                 .act = "auth.logout",
                                                 .object = "mailbox " + opened->address,
                                                 .reason = options.reason});
      });
  if (!removed) return report(removed.error());
  output.text() = fmt::format("Signed out {}.\n", shown(opened->address));
  return finish(output, exit);
}

}  // namespace

void add_auth(CLI::App& app, Action& action) {
  CLI::App* auth = app.add_subcommand("auth", "OAuth sign-in of a mailbox's user");
  auth->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* login = auth->add_subcommand("login", "Sign in with a browser, here or on another device");
  CLI::App* status = auth->add_subcommand("status", "Whether the user has signed in, and until when");
  CLI::App* logout = auth->add_subcommand("logout", "Forget the sign-in, here and at the server");
  for (CLI::App* command : {login, status, logout})
    command->add_option("ADDRESS", options->address, "The mailbox")->required();

  auto* paste = login->add_flag("--paste", options->paste,
                                "The browser is on another machine; asks for the address it ended at");
  login
      ->add_flag("--device", options->device,
                 "Show a code to enter on another device (not every provider has this)")
      ->excludes(paste);
  login->add_flag("--no-browser", options->no_browser, "Only print the address, open nothing");
  login->add_option("--timeout", options->timeout_s, "How long to wait for the browser")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  add_actor_options(*login, options->who, options->reason);
  login->callback([options, &action] {
    action = [options](const Globals& globals) { return run_login(globals, *options); };
  });

  status->add_flag("--ask-server", options->ask_server, "Ask the token endpoint whether it still holds");
  add_format_option(*status, options->format);
  status->callback([options, &action] {
    action = [options](const Globals& globals) { return run_status(globals, *options); };
  });

  logout->add_flag("--local", options->local, "Forget it here only; tell the server nothing");
  add_actor_options(*logout, options->who, options->reason);
  logout->callback([options, &action] {
    action = [options](const Globals& globals) { return run_logout(globals, *options); };
  });
}

}  // namespace syncline::cli
