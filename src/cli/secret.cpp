// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline secret set`: seals a password, client secret, certificate or token of a profile or a mailbox.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>

#include "base/text.hpp"
#include "cli/organisation_command.hpp"
#include "cli/terminal_secret.hpp"
#include "service/organisation/secret_administration.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

struct SecretOptions {
  std::string profile;
  std::string mailbox;
  std::string kind = "password";
  std::string who;
  std::string reason;
  bool from_standard_input = false;
};

/// Certificates and key files have many lines: the whole of standard input, less the last line feed.
Result<Secret> read_secret_file() {
  constexpr std::size_t limit = std::size_t{1} << 20;
  // Straight into the buffer that becomes the secret: no copy stays behind.
  std::string text(limit + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(STDIN_FILENO, text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    length += static_cast<std::size_t>(count);
  }
  text.resize(length);
  const bool too_large = text.size() > limit;
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  Secret secret(std::move(text));
  if (too_large || secret.empty())
    return fail(ErrorDomain::input, "no-secret", "Standard input is empty or larger than 1 MiB");
  return secret;
}

Result<Secret> read_secret(const SecretOptions& options, const std::string& whose) {
  if (options.kind == "certificate" || options.kind == "service-account") {
    if (options.from_standard_input) return read_secret_file();
    return fail(ErrorDomain::input, "no-secret",
                options.kind == "certificate"
                    ? "A certificate with its key (PEM) comes from standard input: --stdin < FILE"
                    : "A service account's key file (JSON) comes from standard input: --stdin < FILE");
  }
  if (options.from_standard_input) return read_secret_line();
  auto secret = prompt_secret(fmt::format("{} of {}: ", options.kind, shown(whose)));
  if (!secret && secret.error().code == "no-terminal") {
    return fail(ErrorDomain::input, "no-terminal", "There is no terminal to ask for the secret; use --stdin");
  }
  return secret;
}

ExitStatus run_secret_set(const Globals& globals, const SecretOptions& options) {
  vault::forbid_memory_dumps();
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto stored = (*organisation)->load();
  if (!stored) return report(stored.error());
  const vault::Account account = options.profile.empty()
                                     ? vault::Account{"mailbox", text::to_lower_ascii(options.mailbox)}
                                     : vault::Account{"profile", options.profile};
  const bool known = options.profile.empty() ? stored->mailboxes.contains(account.name)
                                             : stored->profiles.contains(account.name);
  if (!known) {
    return report({.domain = ErrorDomain::input,
                   .code = "no-" + account.kind,
                   .message = fmt::format("There is no {} {}", account.kind, account.name)});
  }
  // Before anybody types: whether it could be kept.
  auto vault = (*organisation)->vault();
  if (!vault) return report(vault.error());
  auto secret = read_secret(options, account.name);
  if (!secret && secret.error().code == "interrupted") return ExitStatus::interrupted;
  if (!secret) return report(secret.error());
  const service::Actor actor{options.who.empty() ? current_user() : options.who, options.reason};
  auto sealed = service::seal_secret(**organisation, account, options.kind, *secret, actor);
  if (!sealed) return report(sealed.error());
  Output output;
  output.text() = fmt::format("Sealed the {} of {} {}.\n", options.kind, account.kind, shown(account.name));
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_secret(CLI::App& app, Action& action) {
  CLI::App* secret = app.add_subcommand("secret", "Secrets of profiles and mailboxes, sealed in the vault");
  secret->require_subcommand(1);
  CLI::App* set = secret->add_subcommand("set", "Seal a secret; asks for it without echo, or takes --stdin");
  auto options = std::make_shared<SecretOptions>();
  auto* profile =
      set->add_option("--profile", options->profile, "Whose secret: a profile")->type_name("NAME");
  auto* mailbox =
      set->add_option("--mailbox", options->mailbox, "Whose secret: a mailbox")->type_name("ADDRESS");
  profile->excludes(mailbox);
  std::vector<std::string> kinds(std::begin(service::secret_kinds), std::end(service::secret_kinds));
  set->add_option(
         "--kind", options->kind,
         "password, out-password, client-secret, certificate, service-account (Google's key file) or token")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  set->add_flag("--stdin", options->from_standard_input,
                "The secret is the first line of standard input, a certificate or key file the whole of it");
  add_actor_options(*set, options->who, options->reason);
  set->callback([options, &action] {
    if (options->profile.empty() == options->mailbox.empty())
      throw CLI::ValidationError("secret set", "one of --profile and --mailbox is required");
    action = [options](const Globals& globals) { return run_secret_set(globals, *options); };
  });
}

}  // namespace syncline::cli
