// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/secret_administration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

Result<void> check_place(store::Transaction& transaction, const vault::Account& account,
                         std::string_view kind) {
  if (std::find(std::begin(secret_kinds), std::end(secret_kinds), kind) == std::end(secret_kinds))
    return fail(ErrorDomain::input, "bad-secret-kind",
                fmt::format("{} is no kind of secret; there is {}", text::escape_for_display(kind),
                            fmt::join(secret_kinds, ", ")));
  bool is_there = false;
  if (account.kind == "profile") {
    auto profile = store::find_profile(transaction, account.name);
    if (!profile) return fail(std::move(profile.error()));
    is_there = profile->has_value();
  } else {
    auto mailbox = store::find_mailbox(transaction, account.name);
    if (!mailbox) return fail(std::move(mailbox.error()));
    is_there = mailbox->has_value();
  }
  if (is_there) return {};
  return fail(ErrorDomain::input, "no-" + account.kind,
              fmt::format("There is no {} {}", account.kind, text::escape_for_display(account.name)));
}

Result<void> audit(store::Transaction& transaction, std::string act, const vault::Account& account,
                   std::string_view kind, const Actor& actor) {
  return store::append_audit(transaction,
                             {.who = actor.who,
                              .act = std::move(act),
                              .object = fmt::format("{} {}: {}", account.kind, account.name, kind),
                              .reason = actor.reason});
}

}  // namespace

Result<void> seal_secret(Organisation& organisation, const vault::Account& account, std::string_view kind,
                         const Secret& secret, const Actor& actor) {
  if (secret.empty() || secret.reveal().size() > secret_limit_octets)
    return fail(ErrorDomain::input, "no-secret", "A secret has 1 octet to 1 MiB");
  auto vault = organisation.vault();
  if (!vault) return fail(std::move(vault.error()));
  return organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    if (auto good = check_place(transaction, account, kind); !good) return good;
    SealedRows rows(transaction);
    if (auto put = (*vault)->put(rows, {account, std::string(kind)}, secret); !put) return put;
    return audit(transaction, "secret.set", account, kind, actor);
  });
}

Result<bool> forget_secret(Organisation& organisation, const vault::Account& account, std::string_view kind,
                           const Actor& actor) {
  return organisation.store().write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    if (auto good = check_place(transaction, account, kind); !good) return fail(std::move(good.error()));
    SealedRows rows(transaction);
    const vault::SecretName name{account, std::string(kind)};
    auto is_there = vault::has_secret(rows, name);
    if (!is_there || !*is_there) return is_there;
    if (auto gone = vault::remove_secret(rows, name); !gone) return fail(std::move(gone.error()));
    if (auto audited = audit(transaction, "secret.forget", account, kind, actor); !audited)
      return fail(std::move(audited.error()));
    return true;
  });
}

}  // namespace syncline::service
