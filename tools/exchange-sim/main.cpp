// SPDX-License-Identifier: GPL-3.0-or-later
// The test Exchange as a program: sites from a file or from the command line, on loopback, until SIGTERM.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/exit_status.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "net/system_environment.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/front/exchange_sim.hpp"
#include "tools/exchange-sim/mailbox_commands.hpp"
#include "tools/exchange-sim/transport/transport.hpp"

namespace {

namespace json = boost::json;
using exchange_sim::Result;
using syncline::ErrorDomain;
using syncline::ExitStatus;
using syncline::fail;

struct Options {
  std::string config_file;
  std::uint16_t port = 0;
  bool https = false;
  std::vector<std::string> users;
  std::string fill_folder;
  std::size_t generate = 0;
  std::uint64_t seed = 1;
  std::string schema_folder;
  bool no_schema = false;
  bool lenient = false;
  bool strict = false;
  std::string port_file;
  std::string log_file;
  std::string script_file;
  std::string ca_file;
  std::optional<std::uint16_t> control_port;
  std::optional<std::uint16_t> smtp_port;
  std::string smart_host;
};

ExitStatus status_of(const syncline::Error& error) {
  return error.domain == ErrorDomain::input ? ExitStatus::bad_input : ExitStatus::local_trouble;
}

/// The profile's schema, which the build puts beside the program.
std::string schema_beside_program() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = program.parent_path() / "exchange-sim.schema";
  return !error && std::filesystem::exists(folder / "ews-messages.xsd", error) ? folder.string()
                                                                               : std::string();
}

Result<exchange_sim::Config> config_of(const Options& options) {
  exchange_sim::Config config;
  if (!options.config_file.empty()) {
    auto read = exchange_sim::read_config_file(options.config_file);
    if (!read) return fail(std::move(read.error()));
    config = std::move(*read);
  } else {
    std::vector<exchange_sim::User> users;
    for (const auto& given : options.users) {
      const auto at = given.find('@');
      const auto colon = given.find(':', at == std::string::npos ? 0 : at);
      if (at == std::string::npos || colon == std::string::npos) {
        return fail(ErrorDomain::input, "bad-usage", "--user is name@domain:password");
      }
      exchange_sim::User user;
      user.address = given.substr(0, colon);
      user.password = exchange_sim::Secret(given.substr(colon + 1));
      users.push_back(std::move(user));
    }
    if (users.empty()) return fail(ErrorDomain::input, "bad-usage", "give --config, or at least one --user");
    if (options.generate > 0) users.front().generate_items = options.generate;
    users.front().fill_folder = options.fill_folder;
    config = exchange_sim::simple_config(options.port, std::move(users));
    config.sites.front().listeners.front().tls = options.https;
  }
  config.seed = options.seed != 1 ? options.seed : config.seed;
  if (!options.schema_folder.empty()) config.schema_folder = options.schema_folder;
  if (config.schema_folder.empty()) {
    config.schema_folder = schema_beside_program();
    // The profile holds what Syncline sends. Whoever comes by the command line may be any client.
    if (options.config_file.empty()) config.strict = false;
  }
  if (options.no_schema) config.schema_folder.clear();
  if (options.lenient) config.strict = false;
  if (options.strict) config.strict = true;
  if (!options.log_file.empty()) config.log_file = options.log_file;
  if (!options.script_file.empty()) config.script_file = options.script_file;
  if (!options.ca_file.empty()) config.ca_file = options.ca_file;
  if (options.control_port) config.control_port = options.control_port;
  if (options.smtp_port) config.transport.smtp_port = options.smtp_port;
  if (!options.smart_host.empty()) {
    const auto smart_host = exchange_sim::parse_smart_host(options.smart_host);
    if (!smart_host) return fail(ErrorDomain::input, "bad-usage", "--smart-host is host:port");
    config.transport.smart_host = *smart_host;
  }
  return config;
}

/// Whose mailbox lives at a site before: it comes with move-mailbox.
bool is_to_come(const exchange_sim::ExchangeService& service, const exchange_sim::User& user) {
  return std::any_of(user.aliases.begin(), user.aliases.end(),
                     [&](const std::string& alias) { return service.has_mailbox(alias); });
}

/// Makes the mailboxes that live at their site, and fills them.
Result<void> fill(exchange_sim::ExchangeService& service, const exchange_sim::Config& config) {
  for (const auto& site : config.sites) {
    for (const auto& user : site.users) {
      const bool moved = std::any_of(site.moved.begin(), site.moved.end(), [&](const auto& one) {
        return syncline::text::equals_ignore_case(one.address, user.address);
      });
      if (!user.has_mailbox || moved || is_to_come(service, user)) continue;
      auto added = service.add_mailbox({user.address, user.logon_name, site.name, user.aliases});
      if (!added) return fail(std::move(added.error()).during("making the mailbox of " + user.address));
      if (!user.fill_folder.empty()) {
        const auto filled = service.fill(user.address, user.fill_folder);
        if (!filled) return fail(syncline::Error(filled.error()).during("filling " + user.address));
        for (const auto& malformed : filled->malformed) syncline::log::warning(user.address, malformed);
      }
      if (user.generate_items > 0) {
        // Mostly mail, as mailboxes are.
        exchange_sim::GeneratorOptions wanted;
        wanted.seed = config.seed;
        wanted.appointments = user.generate_items / 10;
        wanted.contacts = user.generate_items / 20;
        wanted.tasks = user.generate_items / 20;
        wanted.messages = user.generate_items - wanted.appointments - wanted.contacts - wanted.tasks;
        const auto made = service.generate(user.address, wanted);
        if (!made) return fail(syncline::Error(made.error()).during("generating items of " + user.address));
      }
    }
  }
  return {};
}

std::vector<std::string> domains_of(const exchange_sim::Config& config) {
  std::vector<std::string> all;
  for (const auto& site : config.sites) all.insert(all.end(), site.domains.begin(), site.domains.end());
  return all;
}

std::string ready_line(const exchange_sim::ExchangeSim& sim, const exchange_sim::Transport& transport) {
  json::array endpoints;
  for (const auto& endpoint : sim.endpoints()) {
    json::object one{{"site", endpoint.site},       {"tls", endpoint.tls},
                     {"address", endpoint.address}, {"port", endpoint.port},
                     {"ewsUrl", endpoint.ews_url},  {"autodiscoverUrl", endpoint.autodiscover_url}};
    if (!endpoint.token_url.empty()) one["tokenUrl"] = endpoint.token_url;
    endpoints.push_back(std::move(one));
  }
  // The first endpoint once more, for those who have only one.
  const auto all = sim.endpoints();
  json::object out{{"ready", true},
                   {"ews", all.empty() ? std::string() : all.front().ews_url},
                   {"endpoints", std::move(endpoints)}};
  if (sim.control_port() != 0) {
    out["control"] = json::object{{"port", sim.control_port()}, {"token", sim.control_token()}};
  }
  if (transport.smtp_port() != 0) out["smtpPort"] = transport.smtp_port();
  if (!sim.config().ca_file.empty()) out["caFile"] = sim.config().ca_file;
  return json::serialize(out);
}

/// Written beside and renamed, so that who waits for the file never sees half of it. It holds the control
/// token: 0600.
Result<void> write_port_file(const std::string& path, const std::string& line) {
  const auto temporary = path + ".new";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    std::error_code ignored;
    std::filesystem::permissions(
        temporary, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    file << line << '\n';
    if (!file.flush()) return fail(ErrorDomain::local, "cannot-write", "cannot write " + temporary);
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) return fail(ErrorDomain::local, "cannot-write", "cannot write " + path);
  return {};
}

Result<void> run(const Options& options) {
  auto config = config_of(options);
  if (!config) return fail(std::move(config.error()));
  auto complete = exchange_sim::completed(std::move(*config));
  if (!complete) return fail(std::move(complete.error()));

  boost::asio::io_context context(1);
  auto system = syncline::net::system_environment(context.get_executor());
  if (!system) return fail(std::move(system.error()));
  // Identifiers come from a seed: the same calls give the same ids and change keys.
  syncline::SeededRandom identifiers(complete->seed);
  exchange_sim::ExchangeService service((*system)->get().clock, identifiers);
  if (auto filled = fill(service, *complete); !filled) return fail(std::move(filled.error()));

  exchange_sim::Transport transport((*system)->get(), complete->transport, domains_of(*complete), service);
  auto sim = exchange_sim::ExchangeSim::create((*system)->get(), std::move(*complete), service);
  if (!sim) return fail(std::move(sim.error()));
  (*sim)->set_command_handler(
      [&](std::string_view command) { return exchange_sim::run_command(service, transport, command); });
  if (auto listening = (*sim)->listen(); !listening) return fail(std::move(listening.error()));
  if (auto listening = transport.listen(); !listening) return fail(std::move(listening.error()));

  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    (*sim)->stop();
    transport.stop();
    context.stop();
  });
  const auto line = ready_line(**sim, transport);
  if (!options.port_file.empty()) {
    if (auto written = write_port_file(options.port_file, line); !written)
      return fail(std::move(written.error()));
  }
  std::puts(line.c_str());
  std::fflush(stdout);
  context.run();
  // Connections that were open unwind while what they use is still there.
  context.restart();
  context.run_for(std::chrono::seconds(1));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A test Exchange: EWS, Autodiscover and OAuth on loopback, with faults on demand.",
               "exchange-sim"};
  Options options;
  app.add_option("--config", options.config_file, "Sites and users, TOML (docs/exchange-sim.md)")
      ->type_name("FILE");
  app.add_option("--port", options.port, "Port of the one site without --config; 0: any");
  app.add_flag("--https", options.https, "That site speaks https, with a certificate of our own CA");
  app.add_option("--user", options.users, "An account with a mailbox, without --config; may be repeated")
      ->type_name("NAME@DOMAIN:PASSWORD");
  app.add_option("--fill", options.fill_folder, "Folder of .eml, .mbox, .ics, .vcf for the first user")
      ->type_name("DIR");
  app.add_option("--generate", options.generate, "Items to generate for the first user")->type_name("N");
  app.add_option("--seed", options.seed, "Seed of identifiers, generated items and fault probabilities");
  app.add_option("--schema", options.schema_folder,
                 "Validate requests against messages.xsd and types.xsd of this folder")
      ->type_name("DIR");
  app.add_flag("--no-schema", options.no_schema, "Do not validate requests");
  app.add_flag("--strict", options.strict,
               "Refuse requests that violate the schema (default with --schema or --config)");
  app.add_flag("--lenient", options.lenient, "Record schema violations, but answer");
  app.add_option("--port-file", options.port_file, "Write the line that tells ports and URLs here too")
      ->type_name("FILE");
  app.add_option("--log", options.log_file, "Request log, JSON lines")->type_name("FILE");
  app.add_option("--script", options.script_file, "Fault rules, JSON")->type_name("FILE");
  app.add_option("--ca-file", options.ca_file, "Write our CA's certificate here")->type_name("FILE");
  std::uint16_t smtp_port = 0;
  auto* smtp = app.add_option("--smtp-port", smtp_port, "Take mail for the mailboxes by SMTP; 0: any port");
  app.add_option("--smart-host", options.smart_host, "Hand mail for other domains to this server")
      ->type_name("HOST:PORT");
  std::uint16_t control_port = 0;
  auto* control = app.add_option("--control-port", control_port, "Open the control endpoint; 0: any port");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return static_cast<int>(ExitStatus::bad_input);
  }
  if (control->count() > 0) options.control_port = control_port;
  if (smtp->count() > 0) options.smtp_port = smtp_port;
  if (const auto result = run(options); !result) {
    fmt::print(stderr, "exchange-sim: {}\n", syncline::text::escape_for_display(result.error().describe()));
    return static_cast<int>(status_of(result.error()));
  }
  return static_cast<int>(ExitStatus::done);
}
