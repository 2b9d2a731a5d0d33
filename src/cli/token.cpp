// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline token create|list|revoke`: who may call the HTTP API. The first token is made here, on the
// machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/api_tokens.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

struct TokenOptions {
  std::string name;
  std::string role;
  std::string owner;
  std::string format;
  std::vector<std::string> ids;
  int days = 365;
  bool never_expires = false;
  service::Actor actor;
};

service::Actor actor_of(const TokenOptions& options) {
  return {options.actor.who.empty() ? current_user() : options.actor.who, options.actor.reason};
}

ExitStatus run_create(const Globals& globals, const TokenOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const SystemTime now = (*organisation)->clock().now();
  service::NewApiToken wanted{.name = options.name, .role = *service::parse_api_role(options.role)};
  wanted.owner = options.owner;
  if (!options.never_expires) wanted.expires_at = now + std::chrono::days(options.days);
  auto made = (*organisation)->store().write<service::MadeApiToken>([&](store::Transaction& transaction) {
    return service::create_api_token(transaction, (*organisation)->random(), wanted, now, actor_of(options));
  });
  if (!made) return report(made.error());
  Output output;
  if (options.format == "json") {
    json::object object = service::to_json(made->token, now);
    object["token"] = made->secret.reveal();
    append_line(output, object);
  } else {
    output.text() = fmt::format("{}\n", made->secret.reveal());
    output.flush(true);
    complain(fmt::format("this is token {}; it is shown this once and cannot be read again", made->token.id));
  }
  return finish(output, ExitStatus::done);
}

void append_text(std::string& out, const json::object& token) {
  const auto text = [&](std::string_view name) {
    const json::value& value = token.at(name);
    return value.is_string() ? shown(value.get_string()) : std::string("-");
  };
  out += fmt::format("{} {} {} {} {}", padded(text("id"), 4), padded(text("state"), 8),
                     padded(text("role"), 20), padded(text("name"), 24), text("createdAt"));
  if (token.at("expiresAt").is_string()) out += " until " + text("expiresAt");
  if (token.at("owner").is_string()) out += ", of " + text("owner");
  out += token.at("lastUsedAt").is_string() ? ", used " + text("lastUsedAt") : std::string(", never used");
  out.push_back('\n');
}

ExitStatus run_list(const Globals& globals, const TokenOptions& options) {
  constexpr int page_size = 1000;
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  const SystemTime now = (*organisation)->clock().now();
  Output output;
  std::size_t count = 0;
  for (store::ApiTokenId after = 0;;) {
    auto page =
        (*organisation)->store().read<std::vector<store::ApiToken>>([&](store::Transaction& transaction) {
          return store::list_api_tokens(transaction, after, page_size);
        });
    if (!page) {
      output.flush(true);
      return report(page.error());
    }
    for (const store::ApiToken& token : *page) {
      after = token.id;
      if (options.format == "json")
        append_line(output, service::to_json(token, now));
      else
        append_text(output.text(), service::to_json(token, now));
    }
    count += page->size();
    if (page->size() < static_cast<std::size_t>(page_size)) break;
  }
  if (options.format == "text" && count == 0) output.text() += "No tokens.\n";
  return finish(output, ExitStatus::done);
}

ExitStatus run_revoke(const Globals& globals, const TokenOptions& options) {
  std::vector<store::ApiTokenId> ids;
  for (const std::string& text : options.ids) {
    const auto id = text::parse_int(text);
    if (!id || *id < 1) {
      complain(fmt::format("{} is no id of a token; `syncline token list` shows them", shown(text)));
      return ExitStatus::bad_input;
    }
    ids.push_back(*id);
  }
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto revoked = (*organisation)->store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    for (const store::ApiTokenId id : ids) {
      auto done = service::revoke_api_token(transaction, id, actor_of(options));
      if (!done) return fail(std::move(done.error()));
    }
    return {};
  });
  if (!revoked) return report(revoked.error());
  Output output;
  for (const store::ApiTokenId id : ids) output.text() += fmt::format("Token {} is revoked.\n", id);
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_token(CLI::App& app, Action& action) {
  CLI::App* token = app.add_subcommand("token", "Tokens of the HTTP API: who may call it, as what");
  token->require_subcommand(1);
  auto options = std::make_shared<TokenOptions>();

  CLI::App* create = token->add_subcommand("create", "Make a token and print it, this once");
  create->add_option("--name", options->name, "What it is for")->required()->type_name("TEXT");
  std::vector<std::string> roles;
  for (const store::ApiRole role : store::api_roles) roles.emplace_back(service::to_string(role));
  create->add_option("--role", options->role, "What it may do (docs/api.md)")
      ->required()
      ->check(CLI::IsMember(roles));
  create->add_option("--owner", options->owner, "Of a mailbox owner's token: whose records and mailboxes")
      ->type_name("ADDRESS");
  auto* days = create->add_option("--days", options->days, "How long it is good")
                   ->check(CLI::Range(1, 3650))
                   ->capture_default_str();
  create->add_flag("--never-expires", options->never_expires, "Good until it is revoked")->excludes(days);
  add_format_option(*create, options->format);
  add_actor_options(*create, options->actor.who, options->actor.reason);
  create->callback(
      [options, &action] { action = [options](const Globals& g) { return run_create(g, *options); }; });

  CLI::App* list = token->add_subcommand("list", "All tokens, without what would let somebody in");
  add_format_option(*list, options->format);
  list->callback(
      [options, &action] { action = [options](const Globals& g) { return run_list(g, *options); }; });

  CLI::App* revoke = token->add_subcommand("revoke", "Refuse tokens from now on");
  revoke->add_option("ID", options->ids, "Ids as list prints them")->required();
  add_actor_options(*revoke, options->actor.who, options->actor.reason);
  revoke->callback(
      [options, &action] { action = [options](const Globals& g) { return run_revoke(g, *options); }; });
}

}  // namespace syncline::cli
