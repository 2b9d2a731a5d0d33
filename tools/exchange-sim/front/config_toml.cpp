// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/text.hpp"
#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

using syncline::ErrorDomain;
using syncline::fail;

namespace {

/// Thrown inside this file only, where a reader is nested; parse_config() turns it into an Error.
struct Refused {
  std::string message;
  toml::source_position where;
};

[[noreturn]] void refuse(const toml::node& node, std::string message) {
  throw Refused{std::move(message), node.source().begin};
}

template <class T>
T value_of(const toml::node& node, std::string_view what) {
  const auto value = node.value_exact<T>();
  if (!value) refuse(node, fmt::format("{} is of the wrong type", what));
  return *value;
}

template <class Number>
Number number_of(const toml::node& node, std::string_view what) {
  const auto value = value_of<std::int64_t>(node, what);
  if (value < 0 || static_cast<std::uint64_t>(value) > std::numeric_limits<Number>::max()) {
    refuse(node, fmt::format("{} is out of range", what));
  }
  return static_cast<Number>(value);
}

std::vector<std::string> strings_of(const toml::node& node, std::string_view what) {
  const auto* array = node.as_array();
  if (array == nullptr) refuse(node, fmt::format("{} is a list of strings", what));
  std::vector<std::string> out;
  for (const auto& element : *array) out.push_back(value_of<std::string>(element, what));
  return out;
}

template <class Enum>
Enum choice_of(const toml::node& node, std::string_view what, const std::map<std::string, Enum>& choices) {
  const auto word = value_of<std::string>(node, what);
  const auto found = choices.find(word);
  if (found == choices.end()) refuse(node, fmt::format("{} does not know \"{}\"", what, word));
  return found->second;
}

using Readers = std::map<std::string, std::function<void(const toml::node&)>>;

/// Every key has a reader; a key without one is a mistake in the file.
void read_table(const toml::node& node, std::string_view what, const Readers& readers) {
  const auto* table = node.as_table();
  if (table == nullptr) refuse(node, fmt::format("{} is a table", what));
  for (const auto& [key, value] : *table) {
    const auto reader = readers.find(std::string(key.str()));
    if (reader == readers.end()) refuse(value, fmt::format("{} has no key \"{}\"", what, key.str()));
    reader->second(value);
  }
}

void each(const toml::node& node, std::string_view what, const std::function<void(const toml::node&)>& read) {
  const auto* array = node.as_array();
  if (array == nullptr) refuse(node, fmt::format("{} is a list of tables", what));
  for (const auto& element : *array) read(element);
}

auto text_into(std::string& out, std::string what) {
  return [&out, what](const toml::node& node) { out = value_of<std::string>(node, what); };
}
auto secret_into(Secret& out, std::string what) {
  return [&out, what](const toml::node& node) { out = Secret(value_of<std::string>(node, what)); };
}
auto flag_into(bool& out, std::string what) {
  return [&out, what](const toml::node& node) { out = value_of<bool>(node, what); };
}
auto list_into(std::vector<std::string>& out, std::string what) {
  return [&out, what](const toml::node& node) { out = strings_of(node, what); };
}
template <class Number>
auto number_into(Number& out, std::string what) {
  return [&out, what](const toml::node& node) { out = number_of<Number>(node, what); };
}
template <class Duration>
auto duration_into(Duration& out, std::string what) {
  return [&out, what](const toml::node& node) { out = Duration(number_of<std::uint32_t>(node, what)); };
}

std::string file_content(const toml::node& node, std::string_view what) {
  const auto path = value_of<std::string>(node, what);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) refuse(node, fmt::format("{}: cannot read {}", what, path));
  return std::move(content).str();
}

User read_user(const toml::node& node) {
  User user;
  read_table(node, "user",
             {{"address", text_into(user.address, "address")},
              {"password", secret_into(user.password, "password")},
              {"aliases", list_into(user.aliases, "aliases")},
              {"logon_name", text_into(user.logon_name, "logon_name")},
              {"principal", text_into(user.principal, "principal")},
              {"fill_folder", text_into(user.fill_folder, "fill_folder")},
              {"generate_items", number_into(user.generate_items, "generate_items")},
              {"has_mailbox", flag_into(user.has_mailbox, "has_mailbox")},
              {"may_impersonate", list_into(user.may_impersonate, "may_impersonate")}});
  return user;
}

MovedMailbox read_moved(const toml::node& node) {
  MovedMailbox moved;
  read_table(node, "moved",
             {{"address", text_into(moved.address, "address")},
              {"redirect_address", text_into(moved.redirect_address, "redirect_address")},
              {"redirect_url", text_into(moved.redirect_url, "redirect_url")},
              {"ews_code", text_into(moved.ews_code, "ews_code")}});
  return moved;
}

Listener read_listener(const toml::node& node) {
  Listener listener;
  read_table(node, "listener",
             {{"address", text_into(listener.address, "address")},
              {"port", number_into(listener.port, "port")},
              {"tls", flag_into(listener.tls, "tls")},
              {"certificate_file", text_into(listener.certificate_file, "certificate_file")},
              {"key_file", text_into(listener.key_file, "key_file")}});
  return listener;
}

Application read_application(const toml::node& node) {
  Application application;
  read_table(node, "application",
             {{"client_id", text_into(application.client_id, "client_id")},
              {"secret", secret_into(application.secret, "secret")},
              {"certificate_file",
               [&](const toml::node& value) {
                 application.certificate_pem = file_content(value, "certificate_file");
               }},
              {"full_access_as_app", flag_into(application.full_access_as_app, "full_access_as_app")},
              {"mailboxes", list_into(application.mailboxes, "mailboxes")}});
  return application;
}

void read_oauth(const toml::node& node, OAuth& oauth) {
  read_table(
      node, "oauth",
      {{"tenant", text_into(oauth.tenant, "tenant")},
       {"access_token_life_seconds", duration_into(oauth.access_token_life, "access_token_life_seconds")},
       {"refresh_token_life_seconds", duration_into(oauth.refresh_token_life, "refresh_token_life_seconds")},
       {"requires_impersonation", flag_into(oauth.requires_impersonation, "requires_impersonation")},
       {"rotation",
        [&](const toml::node& value) {
          oauth.rotation = choice_of<RefreshRotation>(value, "rotation",
                                                      {{"revoke", RefreshRotation::revoke},
                                                       {"keep", RefreshRotation::keep},
                                                       {"same", RefreshRotation::same}});
        }},
       {"application",
        [&](const toml::node& value) {
          each(value, "application",
               [&](const toml::node& one) { oauth.applications.push_back(read_application(one)); });
        }},
       {"refresh_token", [&](const toml::node& value) {
          each(value, "refresh_token", [&](const toml::node& one) {
            RefreshToken token;
            read_table(one, "refresh_token",
                       {{"token", secret_into(token.token, "token")},
                        {"client_id", text_into(token.client_id, "client_id")},
                        {"address", text_into(token.address, "address")}});
            oauth.refresh_tokens.push_back(std::move(token));
          });
        }}});
}

void read_limits(const toml::node& node, SiteLimits& limits) {
  read_table(node, "limits",
             {{"connections", number_into(limits.connections, "connections")},
              {"sync_calls", number_into(limits.sync_calls, "sync_calls")},
              {"hanging", number_into(limits.hanging, "hanging")},
              {"requests_per_minute", number_into(limits.requests_per_minute, "requests_per_minute")},
              {"streaming_ids", number_into(limits.streaming_ids, "streaming_ids")},
              {"request_octets", number_into(limits.request_octets, "request_octets")},
              {"back_off_ms", duration_into(limits.back_off, "back_off_ms")},
              {"heartbeat_ms", duration_into(limits.heartbeat, "heartbeat_ms")},
              {"service_time_ms", duration_into(limits.service_time, "service_time_ms")}});
}

void read_transport(const toml::node& node, TransportSettings& transport) {
  read_table(
      node, "transport",
      {{"smtp_port",
        [&](const toml::node& value) { transport.smtp_port = number_of<std::uint16_t>(value, "smtp_port"); }},
       {"smart_host",
        [&](const toml::node& value) {
          const auto smart_host = parse_smart_host(value_of<std::string>(value, "smart_host"));
          if (!smart_host) refuse(value, "smart_host is \"host:port\"");
          transport.smart_host = *smart_host;
        }},
       {"host_name",
        [&](const toml::node& value) {
          transport.host_name = value_of<std::string>(value, "host_name");
          const bool is_name =
              !transport.host_name.empty() && transport.host_name.size() <= 255 &&
              std::all_of(transport.host_name.begin(), transport.host_name.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.';
              });
          if (!is_name) refuse(value, "host_name is a host's name");
        }},
       {"message_octets", number_into(transport.message_octets, "message_octets")},
       {"recipients", number_into(transport.recipients, "recipients")},
       {"connections", number_into(transport.connections, "connections")},
       {"idle_ms", duration_into(transport.idle, "idle_ms")},
       {"retry_ms", duration_into(transport.retry, "retry_ms")},
       {"longest_retry_ms", duration_into(transport.longest_retry, "longest_retry_ms")},
       {"give_up_ms", duration_into(transport.give_up, "give_up_ms")},
       {"waiting", number_into(transport.waiting, "waiting")}});
}

Site read_site(const toml::node& node) {
  Site site;
  read_table(node, "site",
             {{"name", text_into(site.name, "name")},
              {"product",
               [&](const toml::node& value) {
                 site.product = choice_of<Product>(value, "product",
                                                   {{"2013", Product::exchange2013},
                                                    {"2016", Product::exchange2016},
                                                    {"2019", Product::exchange2019},
                                                    {"SE", Product::subscription_edition},
                                                    {"online", Product::online}});
               }},
              {"build", text_into(site.build, "build")},
              {"hosts", list_into(site.hosts, "hosts")},
              {"domains", list_into(site.domains, "domains")},
              {"netbios_domain", text_into(site.netbios_domain, "netbios_domain")},
              {"schemes",
               [&](const toml::node& value) {
                 site.schemes.clear();
                 const auto* array = value.as_array();
                 if (array == nullptr) refuse(value, "schemes is a list of strings");
                 for (const auto& one : *array) {
                   site.schemes.push_back(choice_of<Scheme>(one, "schemes",
                                                            {{"basic", Scheme::basic},
                                                             {"ntlm", Scheme::ntlm},
                                                             {"negotiate", Scheme::negotiate},
                                                             {"bearer", Scheme::bearer}}));
                 }
               }},
              {"channel_binding",
               [&](const toml::node& value) {
                 site.channel_binding = choice_of<ChannelBinding>(value, "channel_binding",
                                                                  {{"none", ChannelBinding::none},
                                                                   {"allow", ChannelBinding::allow},
                                                                   {"require", ChannelBinding::require}});
               }},
              {"keytab_file", text_into(site.keytab_file, "keytab_file")},
              {"ews",
               [&](const toml::node& value) {
                 site.ews = choice_of<EwsSwitch>(value, "ews",
                                                 {{"on", EwsSwitch::on},
                                                  {"off-empty", EwsSwitch::off_empty},
                                                  {"off-html", EwsSwitch::off_html},
                                                  {"off-fault", EwsSwitch::off_fault}});
               }},
              {"back_ends", number_into(site.back_ends, "back_ends")},
              {"autodiscover_redirect", text_into(site.autodiscover_redirect, "autodiscover_redirect")},
              {"autodiscover_json",
               [&](const toml::node& value) {
                 site.autodiscover_json = value_of<bool>(value, "autodiscover_json");
               }},
              {"limits", [&](const toml::node& value) { read_limits(value, site.limits); }},
              {"oauth", [&](const toml::node& value) { read_oauth(value, site.oauth); }},
              {"listener",
               [&](const toml::node& value) {
                 each(value, "listener",
                      [&](const toml::node& one) { site.listeners.push_back(read_listener(one)); });
               }},
              {"user",
               [&](const toml::node& value) {
                 each(value, "user", [&](const toml::node& one) { site.users.push_back(read_user(one)); });
               }},
              {"moved", [&](const toml::node& value) {
                 each(value, "moved", [&](const toml::node& one) { site.moved.push_back(read_moved(one)); });
               }}});
  return site;
}

}  // namespace

Result<Config> parse_config(std::string_view toml, const std::string& name) {
  Config config;
  try {
    const toml::table root = toml::parse(toml, name);
    std::uint16_t control_port = 0;
    read_table(root, "the file",
               {{"strict", flag_into(config.strict, "strict")},
                {"schema_folder", text_into(config.schema_folder, "schema_folder")},
                {"seed", number_into(config.seed, "seed")},
                {"log_file", text_into(config.log_file, "log_file")},
                {"log_entries", number_into(config.log_entries, "log_entries")},
                {"script_file", text_into(config.script_file, "script_file")},
                {"ca_file", text_into(config.ca_file, "ca_file")},
                {"control_token", secret_into(config.control_token, "control_token")},
                {"transport", [&](const toml::node& value) { read_transport(value, config.transport); }},
                {"control_port",
                 [&](const toml::node& value) {
                   number_into(control_port, "control_port")(value);
                   config.control_port = control_port;
                 }},
                {"site", [&](const toml::node& value) {
                   each(value, "site",
                        [&](const toml::node& one) { config.sites.push_back(read_site(one)); });
                 }}});
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return fail(ErrorDomain::input, "bad-config",
                fmt::format("{}:{}:{}: {}", name, at.line, at.column, error.description()));
  } catch (const Refused& refused) {
    return fail(ErrorDomain::input, "bad-config",
                fmt::format("{}:{}:{}: {}", name, refused.where.line, refused.where.column, refused.message));
  }
  return completed(std::move(config));
}

Result<Config> read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) return fail(ErrorDomain::input, "cannot-open", "cannot read " + path);
  return parse_config(std::move(content).str(), path);
}

}  // namespace exchange_sim
