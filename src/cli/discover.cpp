// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline discover ADDRESS`: Autodiscover with a readable trail.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/bearer.hpp"
#include "auth/credentials.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/discover_all.hpp"
#include "cli/organisation_command.hpp"
#include "cli/terminal_secret.hpp"
#include "ews/autodiscover/discovery.hpp"
#include "ews/autodiscover/trust.hpp"
#include "net/http_client.hpp"
#include "net/system_environment.hpp"
#include "net/tls.hpp"

namespace syncline::cli {

namespace {

namespace autodiscover = ews::autodiscover;

constexpr std::size_t columns = 80;

struct Options {
  std::string address;
  std::string user;
  bool password_stdin = false;
  bool bearer_stdin = false;
  bool internal = false;
  std::string ca_file;
  std::vector<std::string> resolve;
  std::vector<std::string> allowed_hosts;
  std::string format = "text";
  bool all = false;  ///< the organisation's mailboxes
  bool follow_moves = false;
  service::Actor actor;
};

ExitStatus complain(const Error& error, ExitStatus status) {
  std::fprintf(stderr, "syncline discover: %s\n", text::escape_for_display(error.describe()).c_str());
  return status;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Prints `first` and then the text, escaped, in lines of 80 columns that begin below the text. Words that
/// fit on no line (URLs) are cut.
void print_wrapped(const std::string& first, std::string_view raw) {
  const std::string shown = text::escape_for_display(raw);
  const std::string indent(width(first), ' ');
  std::string line = first;
  bool begun = false;
  const auto flush = [&] {
    std::printf("%s\n", line.c_str());
    line = indent;
    begun = false;
  };
  for (std::string_view word : text::split(shown, ' ')) {
    if (begun && width(line) + 1 + width(word) > columns) flush();
    if (begun) line += ' ';
    while (width(line) + width(word) > columns) {
      std::size_t take = 0;
      std::size_t room = columns - width(line);
      while (take < word.size() && (room > 0 || (static_cast<unsigned char>(word[take]) & 0xc0) == 0x80)) {
        if ((static_cast<unsigned char>(word[take]) & 0xc0) != 0x80) --room;
        ++take;
      }
      line += word.substr(0, take);
      word.remove_prefix(take);
      flush();
    }
    line += word;
    begun = true;
  }
  std::printf("%s\n", line.c_str());
}

std::string_view label(autodiscover::Method method) {
  switch (method) {
    case autodiscover::Method::json:
      return "v2 JSON";
    case autodiscover::Method::soap:
      return "SOAP";
    case autodiscover::Method::pox:
      return "POX";
    case autodiscover::Method::http_redirect:
      return "http";
    case autodiscover::Method::srv:
      return "DNS SRV";
  }
  return "";
}

std::string padded(std::string_view text, std::size_t size) {
  std::string out(text);
  out.resize(std::max(out.size(), size), ' ');
  return out;
}

void print_text(const std::string& address, const autodiscover::Discovery& discovery) {
  print_wrapped("Autodiscover for ", address);
  std::string asked = text::to_lower_ascii(address);
  int number = 0;
  for (const autodiscover::TrailStep& step : discovery.trail) {
    if (text::to_lower_ascii(step.address) != asked) {
      asked = text::to_lower_ascii(step.address);
      std::printf("\n");
      print_wrapped("Now for ", step.address);
    }
    ++number;
    std::string head = std::to_string(number);
    head = std::string(head.size() < 2 ? 1 : 0, ' ') + head + "  " + padded(label(step.method), 9);
    print_wrapped(head, step.target);
    std::string outcome(autodiscover::to_string(step.outcome));
    std::replace(outcome.begin(), outcome.end(), '-', ' ');
    if (step.status) outcome += " (" + std::to_string(*step.status) + ")";
    print_wrapped("    ", outcome + (step.reason.empty() ? "" : ": " + step.reason));
  }
  std::printf("\n");
  if (!discovery.facts) {
    print_wrapped("Not found: ", discovery.facts.error().message);
    return;
  }
  const model::MailboxFacts& facts = *discovery.facts;
  print_wrapped("Mailbox       ", facts.primary_address);
  if (facts.display_name) print_wrapped("Name          ", *facts.display_name);
  std::string where = facts.server_type;
  if (!facts.cloud.empty()) where += ", cloud " + facts.cloud;
  if (facts.location == model::MailboxLocation::on_premises) where += ", on-premises";
  if (facts.server_version) where += ", answered by version " + *facts.server_version;
  print_wrapped("Lives on      ", where);
  if (facts.remote) print_wrapped("Hybrid        ", "the organisation's own server points to the cloud");
  print_wrapped("EWS endpoint  ", facts.ews_endpoint + (facts.endpoint_internal ? " (internal)" : ""));
  print_wrapped("Found by      ", facts.found_by + " at " + facts.found_at);
  print_wrapped("Confirmed     ", facts.confirmed ? "yes, by a server that checked the credentials"
                                                  : "no, nobody checked that this mailbox exists");
}

boost::json::value or_null(const std::optional<std::string>& value) {
  return value ? boost::json::value(text::to_xml_text(*value)) : boost::json::value(nullptr);
}

void print_json(const std::string& address, const autodiscover::Discovery& discovery) {
  boost::json::object out;
  out["address"] = text::to_xml_text(address);
  if (discovery.facts) {
    const model::MailboxFacts& facts = *discovery.facts;
    out["facts"] = boost::json::object{
        {"primaryAddress", text::to_xml_text(facts.primary_address)},
        {"location", model::to_string(facts.location)},
        {"cloud", facts.cloud.empty() ? boost::json::value(nullptr) : boost::json::value(facts.cloud)},
        {"ewsEndpoint", facts.ews_endpoint},
        {"endpointInternal", facts.endpoint_internal},
        {"serverVersion", or_null(facts.server_version)},
        {"serverType", facts.server_type},
        {"supportedSchemas", or_null(facts.supported_schemas)},
        {"displayName", or_null(facts.display_name)},
        {"remote", facts.remote},
        {"confirmed", facts.confirmed},
        {"foundBy", facts.found_by},
        {"foundAt", facts.found_at}};
    out["error"] = nullptr;
  } else {
    const Error& error = discovery.facts.error();
    out["facts"] = nullptr;
    out["error"] = boost::json::object{{"domain", to_string(error.domain)},
                                       {"code", error.code},
                                       {"message", text::to_xml_text(error.message)},
                                       {"retry", to_string(error.retry)}};
  }
  boost::json::array trail;
  for (const autodiscover::TrailStep& step : discovery.trail) {
    trail.push_back(boost::json::object{
        {"method", autodiscover::to_string(step.method)},
        {"address", text::to_xml_text(step.address)},
        {"target", text::to_xml_text(step.target)},
        {"status", step.status ? boost::json::value(*step.status) : boost::json::value(nullptr)},
        {"outcome", autodiscover::to_string(step.outcome)},
        {"reason", text::to_xml_text(step.reason)}});
  }
  out["trail"] = std::move(trail);
  std::printf("%s\n", boost::json::serialize(out).c_str());
}

ExitStatus status_of(const autodiscover::Discovery& discovery) {
  if (discovery.facts) return ExitStatus::done;
  const Error& error = discovery.facts.error();
  if (error.domain == ErrorDomain::input) return ExitStatus::bad_input;
  if (error.domain == ErrorDomain::local) return ExitStatus::local_trouble;
  const bool answered =
      std::any_of(discovery.trail.begin(), discovery.trail.end(),
                  [](const autodiscover::TrailStep& step) { return step.status.has_value(); });
  if (error.code == "unreachable" || (error.code == "deadline" && !answered)) return ExitStatus::unreachable;
  return ExitStatus::refused;
}

/// Null without credentials.
Result<std::shared_ptr<net::Authenticator>> credentials_of(const Options& options) {
  if (options.bearer_stdin) {
    auto token = read_secret_line();
    if (!token) return fail(std::move(token).error());
    auto source = auth::fixed_token(std::move(*token));
    if (!source) return fail(std::move(source).error());
    return auth::make_bearer(std::move(*source));
  }
  if (options.user.empty() && !options.password_stdin) return std::shared_ptr<net::Authenticator>();
  const std::string user = options.user.empty() ? options.address : options.user;
  auto password = options.password_stdin
                      ? read_secret_line()
                      : prompt_secret("Password of " + text::escape_for_display(user) + ": ");
  if (!password) return fail(std::move(password).error());
  return auth::make_authenticator(auth::PasswordCredentials{user, std::move(*password)},
                                  auth::AllowedSchemes{}, std::make_shared<auth::BlockingPool>(2));
}

ExitStatus run(const Options& options) {
  if (auto address = autodiscover::parse_address(options.address); !address) {
    return complain(address.error(), ExitStatus::bad_input);
  }
  net::SystemSettings system;
  for (const std::string& text : options.resolve) {
    auto pinned = net::parse_resolve_override(text);
    if (!pinned) return complain(pinned.error(), ExitStatus::bad_input);
    system.resolve.push_back(std::move(*pinned));
  }
  net::HttpClientSettings client;
  client.tls.ca_file = options.ca_file;
  if (auto context = net::make_tls_client_context(client.tls); !context) {
    return complain(context.error(), ExitStatus::bad_input);
  }
  auto credentials = credentials_of(options);
  if (!credentials) {
    const bool interrupted = credentials.error().code == "interrupted";
    return complain(credentials.error(), interrupted ? ExitStatus::interrupted : ExitStatus::bad_input);
  }

  net::asio::io_context context;
  auto environment = net::system_environment(context.get_executor(), std::move(system));
  if (!environment) return complain(environment.error(), ExitStatus::local_trouble);
  net::Environment& world = (*environment)->get();
  auto http = net::make_http_client(world, std::move(client));
  if (!http) return complain(http.error(), ExitStatus::local_trouble);

  autodiscover::DiscoverySettings settings;
  settings.credentials = std::move(*credentials);
  settings.allowed_hosts = options.allowed_hosts;
  settings.prefer_internal = options.internal;
  const bool show_progress = isatty(STDERR_FILENO) != 0;
  if (show_progress) {
    settings.progress = [](std::string_view url) {
      std::fprintf(stderr, "\r\033[Kasking %s", std::string(url.substr(0, columns - 8)).c_str());
    };
  }

  std::optional<autodiscover::Discovery> discovery;
  bool interrupted = false;
  net::asio::cancellation_signal cancel;
  net::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& failure, int) {
    if (failure) return;
    interrupted = true;
    cancel.emit(net::asio::cancellation_type::terminal);
  });
  auto done = [&](std::exception_ptr thrown, autodiscover::Discovery result) {
    signals.cancel();
    // A cancelled coroutine may be left by Asio's own exception.
    if (thrown && !interrupted) std::rethrow_exception(thrown);
    if (!thrown) discovery.emplace(std::move(result));
  };
  net::asio::co_spawn(
      context,
      autodiscover::discover(**http, world.resolver, world.clock, options.address, std::move(settings)),
      net::asio::bind_cancellation_slot(cancel.slot(), std::move(done)));
  while (!discovery && !interrupted && context.run_one() > 0) {
  }
  // Idle connections and timers need not be waited for; a cancelled coroutine does.
  context.poll();
  if (show_progress) std::fprintf(stderr, "\r\033[K");
  if (interrupted || !discovery) return ExitStatus::interrupted;

  if (options.format == "json") {
    print_json(options.address, *discovery);
  } else {
    print_text(options.address, *discovery);
  }
  return status_of(*discovery);
}

}  // namespace

void add_discover(CLI::App& app, Action& action) {
  CLI::App* discover = app.add_subcommand("discover", "Find the server that holds a mailbox, and say how");
  auto options = std::make_shared<Options>();
  discover->add_option("ADDRESS", options->address, "The mailbox's address");
  discover->add_flag(
      "--all", options->all,
      "Look for all mailboxes of the organisation with their own credentials, compare with their "
      "profiles, park those that moved");
  discover->add_flag("--follow-moves", options->follow_moves,
                     "With --all: give a mailbox that moved the one profile that fits");
  add_actor_options(*discover, options->actor.who, options->actor.reason);
  discover->add_option("--user", options->user, "User name; the password is asked for")->type_name("NAME");
  auto* password =
      discover->add_flag("--password-stdin", options->password_stdin,
                         "Read the password from standard input (user name: the address, or --user)");
  discover->add_flag("--bearer-stdin", options->bearer_stdin, "Read an access token from standard input")
      ->excludes(password)
      ->excludes("--user");
  discover
      ->add_option("--ca", options->ca_file,
                   "Trust these certificate authorities (PEM) instead of the system's")
      ->type_name("FILE");
  discover->add_option("--resolve", options->resolve, "Use this address for a host; repeatable")
      ->type_name("HOST:PORT:ADDR")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1)
      ->allow_extra_args(false);
  discover
      ->add_option("--allow-redirect", options->allowed_hosts,
                   "Follow redirects to this host too (.NAME: to all below it); repeatable")
      ->type_name("HOST")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1)
      ->allow_extra_args(false);
  discover->add_flag("--internal", options->internal, "Prefer the endpoint for clients inside the network");
  discover->add_option("--format", options->format, "Output")->check(CLI::IsMember({"text", "json"}));
  discover->callback([options, &action] {
    if (options->all == !options->address.empty())
      throw CLI::ValidationError("discover", "name an address, or --all");
    if (options->follow_moves && !options->all)
      throw CLI::ValidationError("discover", "--follow-moves is for --all");
    action = [options](const Globals& globals) {
      return options->all ? discover_all(globals, {.follow_moves = options->follow_moves,
                                                   .format = options->format,
                                                   .actor = options->actor})
                          : run(*options);
    };
  });
}

}  // namespace syncline::cli
