// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/vault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "memory_storage.hpp"
#include "vault/aead.hpp"
#include "vault/damage.hpp"
#include "vault/hardening.hpp"

namespace syncline::vault {
namespace {

constexpr std::string_view password = "correct horse battery staple";

class VaultTest : public testing::Test {
 protected:
  SeededRandom random{20261122};
  MemoryStorage storage;
  Vault vault{MasterKeys{MasterKey::generate(random)}, random};
  const SecretName ana{{"mailbox", "ana@contoso.example"}, "password"};
  const SecretName bruno{{"mailbox", "bruno@contoso.example"}, "password"};

  std::string code_of_get(const Vault& by, const SecretName& name) {
    const auto got = by.get(storage, name);
    return got ? (*got ? "opened" : "none") : got.error().code;
  }
};

TEST_F(VaultTest, GivesBackWhatWasPut) {
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  const auto got = vault.get(storage, ana);
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->reveal(), password);
  EXPECT_EQ(code_of_get(vault, bruno), "none");
  EXPECT_TRUE(has_secret(storage, ana).value());
  EXPECT_FALSE(has_secret(storage, bruno).value());
}

TEST_F(VaultTest, KeepsSecretsOfAllSizesUpToItsLimit) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 65536U, 1048576U}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(vault.put(storage, ana, Secret(std::string_view(text)))) << size;
    EXPECT_EQ(vault.get(storage, ana).value()->reveal(), text);
  }
  EXPECT_EQ(vault.put(storage, ana, Secret(std::string(1048577, 'x'))).error().code, "too-large");
}

TEST_F(VaultTest, TheSameSecretIsNeverSealedTheSameTwice) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
    nonces.insert(storage.rows["secret/mailbox/ana@contoso.example/password"].substr(5, nonce_octets));
  }
  EXPECT_EQ(nonces.size(), 1000U);
}

TEST_F(VaultTest, AValueThatWasMovedToAnotherRowIsRefused) {
  const SecretName other_field{ana.account, "client-secret"};
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  ASSERT_TRUE(vault.put(storage, bruno, Secret(std::string_view("another"))));
  const std::string of_ana = storage.rows["secret/mailbox/ana@contoso.example/password"];
  storage.rows["secret/mailbox/bruno@contoso.example/password"] = of_ana;
  EXPECT_EQ(code_of_get(vault, bruno), "not-authentic");
  storage.rows["secret/mailbox/ana@contoso.example/client-secret"] = of_ana;
  EXPECT_EQ(code_of_get(vault, other_field), "not-authentic");
  // With its data key, too: the key is bound to its account.
  storage.rows["key/mailbox/bruno@contoso.example"] = storage.rows["key/mailbox/ana@contoso.example"];
  EXPECT_EQ(code_of_get(vault, bruno), "not-authentic");
}

TEST_F(VaultTest, EveryChangedOctetIsNoticed) {
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  for (const std::string name :
       {"secret/mailbox/ana@contoso.example/password", "key/mailbox/ana@contoso.example"}) {
    const std::string good = storage.rows[name];
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const unsigned bit : {0U, 7U}) {
        storage.rows[name] = good;
        storage.rows[name][i] = static_cast<char>(static_cast<unsigned char>(good[i]) ^ 1U << bit);
        const std::string code = code_of_get(vault, ana);
        EXPECT_TRUE(code == "not-authentic" || code == "bad-sealed" || code == "newer-sealed" ||
                    code == "wrong-key")
            << name << " octet " << i << ": " << code;
      }
    }
    for (std::size_t length = 0; length < good.size(); ++length) {
      storage.rows[name] = good.substr(0, length);
      EXPECT_NE(code_of_get(vault, ana), "opened") << length;
    }
    storage.rows[name] = good + "x";
    EXPECT_NE(code_of_get(vault, ana), "opened");
    storage.rows[name] = good;
  }
}

TEST_F(VaultTest, AnotherMasterKeyIsCalledAWrongKey) {
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  const Vault other{MasterKeys{MasterKey::generate(random)}, random};
  EXPECT_EQ(code_of_get(other, ana), "wrong-key");
  EXPECT_EQ(other.put(storage, ana, Secret(password)).error().code, "wrong-key");
}

TEST_F(VaultTest, WhatWasDamagedIsItsAccountsTroubleAloneAndCanBeSetAgain) {
  const std::string secret_row = "secret/mailbox/ana@contoso.example/password";
  const std::string key_row = "key/mailbox/ana@contoso.example";
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  ASSERT_TRUE(vault.put(storage, bruno, Secret(password)));
  const auto good = storage.rows;
  for (const std::string& name : {secret_row, key_row}) {
    for (std::size_t i = 0; i <= good.at(name).size(); ++i) {
      storage.rows = good;
      if (i < good.at(name).size())
        storage.rows[name][i] = static_cast<char>(~static_cast<unsigned char>(storage.rows[name][i]));
      else
        storage.rows[name].clear();
      const auto got = vault.get(storage, ana);
      ASSERT_FALSE(got) << name << " octet " << i;
      EXPECT_TRUE(is_damage(vault, storage, got.error()).value())
          << name << " octet " << i << got.error().code;
      EXPECT_EQ(code_of_get(vault, bruno), "opened");
      ASSERT_TRUE(vault.put(storage, ana, Secret(password))) << name << " octet " << i;
      EXPECT_EQ(code_of_get(vault, ana), "opened");
    }
  }
}

TEST_F(VaultTest, AMasterKeyThatOpensNothingIsNoDamageOfOneAccount) {
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  ASSERT_TRUE(vault.put(storage, bruno, Secret(password)));
  const Vault other{MasterKeys{MasterKey::generate(random)}, random};
  const auto got = other.get(storage, ana);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "wrong-key");
  EXPECT_FALSE(is_damage(other, storage, got.error()).value());
  EXPECT_FALSE(other.put(storage, ana, Secret(password)));
  const Error of_the_disk{.domain = ErrorDomain::local, .code = "io"};
  EXPECT_FALSE(is_damage(vault, storage, of_the_disk).value());
}

TEST_F(VaultTest, WhatIsDamagedKeepsNoOtherFromBeingWrappedAnewAndStaysAsItIs) {
  const SecretName cleo{{"profile", "Basement"}, "password"};
  for (const SecretName& name : {ana, bruno, cleo}) ASSERT_TRUE(vault.put(storage, name, Secret(password)));
  const std::string key_row = "key/mailbox/ana@contoso.example";
  const auto good = storage.rows;
  MasterKey fresh = MasterKey::generate(random);
  const Vault both{MasterKeys{fresh, vault.keys().current}, random};
  const Vault only_fresh{MasterKeys{fresh}, random};
  for (std::size_t i = 0; i <= good.at(key_row).size(); ++i) {
    storage.rows = good;
    if (i < good.at(key_row).size())
      storage.rows[key_row][i] = static_cast<char>(~static_cast<unsigned char>(storage.rows[key_row][i]));
    else
      storage.rows[key_row].clear();
    const std::string damaged = storage.rows[key_row];
    EXPECT_EQ(both.rewrap(storage, 1).value(), 1U) << "octet " << i;
    EXPECT_EQ(both.rewrap(storage, 100).value(), 1U) << "octet " << i;
    EXPECT_EQ(both.rewrap(storage, 100).value(), 0U) << "octet " << i;
    EXPECT_EQ(storage.rows[key_row], damaged);
    EXPECT_EQ(damaged_accounts(both, storage).value(), std::vector{ana.account});
    for (const SecretName& name : {bruno, cleo})
      EXPECT_EQ(only_fresh.get(storage, name).value()->reveal(), password);
    ASSERT_TRUE(both.put(storage, ana, Secret(password)));
    EXPECT_TRUE(damaged_accounts(both, storage)->empty());
    EXPECT_EQ(both.rewrap(storage, 100).value(), 0U);
    EXPECT_EQ(only_fresh.get(storage, ana).value()->reveal(), password);
  }
}

TEST_F(VaultTest, KeysThatOpenNothingWrapNothing) {
  ASSERT_TRUE(vault.put(storage, ana, Secret(password)));
  ASSERT_TRUE(vault.put(storage, bruno, Secret(password)));
  const auto before = storage.rows;
  const Vault other{MasterKeys{MasterKey::generate(random), MasterKey::generate(random)}, random};
  EXPECT_EQ(other.rewrap(storage, 100).error().code, "wrong-key");
  EXPECT_EQ(storage.rows, before);
}

TEST_F(VaultTest, ForgettingAnAccountDestroysItsSecretsAndNoOther) {
  const SecretName token{ana.account, "token"};
  const SecretName longer{{"mailbox", "ana@contoso.example/old"}, "password"};
  for (const auto& name : {ana, token, bruno, longer})
    ASSERT_TRUE(vault.put(storage, name, Secret(password)));
  EXPECT_THAT(secret_fields(storage, ana.account).value(), testing::ElementsAre("password", "token"));
  const std::string kept = storage.rows["secret/mailbox/ana@contoso.example/password"];
  ASSERT_TRUE(forget_account(storage, ana.account));
  EXPECT_EQ(code_of_get(vault, ana), "none");
  EXPECT_EQ(code_of_get(vault, bruno), "opened");
  EXPECT_EQ(code_of_get(vault, longer), "opened");
  // A copy of the row from elsewhere is worth nothing, also when the account gets a new key.
  storage.rows["secret/mailbox/ana@contoso.example/password"] = kept;
  EXPECT_EQ(code_of_get(vault, ana), "not-authentic");
  ASSERT_TRUE(vault.put(storage, token, Secret(password)));
  EXPECT_EQ(code_of_get(vault, ana), "not-authentic");
}

TEST_F(VaultTest, NamesThatCouldBeTakenForOthersAreRefused) {
  for (const SecretName& name :
       {SecretName{{"", "a"}, "password"}, SecretName{{"mail/box", "a"}, "password"},
        SecretName{{"mailbox", ""}, "password"}, SecretName{{"mailbox", "a"}, "pass/word"},
        SecretName{{"mailbox", "a"}, ""}}) {
    EXPECT_EQ(vault.put(storage, name, Secret(password)).error().code, "bad-secret-name");
    EXPECT_EQ(code_of_get(vault, name), "bad-secret-name");
  }
}

TEST_F(VaultTest, RotationKilledAtAnyWriteLosesNothingAndCanGoOn) {
  constexpr int accounts = 7;
  for (int i = 0; i < accounts; ++i) {
    ASSERT_TRUE(vault.put(storage, {{"mailbox", std::to_string(i)}, "password"}, Secret(std::to_string(i))));
  }
  const MasterKey old = vault.keys().current;
  const MasterKey fresh = MasterKey::generate(random);
  const Vault both{MasterKeys{fresh, old}, random};
  const Vault only_fresh{MasterKeys{fresh}, random};
  const auto before = storage.rows;
  for (int killed_after = 0; killed_after <= accounts; ++killed_after) {
    storage.rows = before;
    storage.writes_left = killed_after;
    EXPECT_EQ(both.rewrap(storage, 100).has_value(), killed_after == accounts);
    storage.writes_left = -1;
    for (int i = 0; i < accounts; ++i) {
      EXPECT_EQ(both.get(storage, {{"mailbox", std::to_string(i)}, "password"}).value()->reveal(),
                std::to_string(i));
    }
    ASSERT_TRUE(both.put(storage, {{"mailbox", "meanwhile"}, "password"}, Secret(password)));
    EXPECT_EQ(both.rewrap(storage, 3).value(),
              static_cast<std::size_t>(std::min(3, accounts - killed_after)));
    while (both.rewrap(storage, 3).value() != 0) continue;
    for (int i = 0; i < accounts; ++i) {
      EXPECT_EQ(only_fresh.get(storage, {{"mailbox", std::to_string(i)}, "password"}).value()->reveal(),
                std::to_string(i));
    }
    EXPECT_EQ(code_of_get(vault, {{"mailbox", "0"}, "password"}), "wrong-key");
  }
}

/// As the service's storage does: rows of a SQLite database, in WAL mode.
class SqliteStorage final : public SealedStorage {
 public:
  explicit SqliteStorage(const std::string& file) {
    sqlite3_open(file.c_str(), &database_);
    sqlite3_exec(database_,
                 "PRAGMA journal_mode=WAL; CREATE TABLE sealed(name TEXT PRIMARY KEY, octets BLOB)", nullptr,
                 nullptr, nullptr);
  }
  ~SqliteStorage() override { sqlite3_close(database_); }
  Result<std::optional<std::string>> get(std::string_view name) override {
    std::optional<std::string> found;
    with("SELECT octets FROM sealed WHERE name=?1", name, {}, [&](sqlite3_stmt* row) {
      found.emplace(static_cast<const char*>(sqlite3_column_blob(row, 0)),
                    static_cast<std::size_t>(sqlite3_column_bytes(row, 0)));
    });
    return found;
  }
  Result<void> put(std::string_view name, std::string_view octets) override {
    with("INSERT OR REPLACE INTO sealed VALUES(?1,?2)", name, octets, [](sqlite3_stmt*) {});
    return {};
  }
  Result<void> remove(std::string_view) override { return {}; }
  Result<std::vector<std::string>> list(std::string_view) override { return std::vector<std::string>{}; }

 private:
  template <class Visit>
  void with(const char* sql, std::string_view name, std::string_view octets, Visit visit) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr);
    sqlite3_bind_text(statement, 1, name.data(), static_cast<int>(name.size()), SQLITE_TRANSIENT);
    if (sqlite3_bind_parameter_count(statement) > 1)
      sqlite3_bind_blob(statement, 2, octets.data(), static_cast<int>(octets.size()), SQLITE_TRANSIENT);
    while (sqlite3_step(statement) == SQLITE_ROW) visit(statement);
    sqlite3_finalize(statement);
  }
  sqlite3* database_ = nullptr;
};

TEST_F(VaultTest, Invariant23NoPlainTextIsInTheDatabasesFiles) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / ("vault-" + system_random().uuid());
  fs::create_directories(folder);
  {
    SqliteStorage database((folder / "syncline.db").string());
    ASSERT_TRUE(vault.put(database, ana, Secret(password)));
    ASSERT_EQ(vault.get(database, ana).value()->reveal(), password);
    std::string all;
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    EXPECT_THAT(all, testing::HasSubstr("secret/mailbox/ana@contoso.example/password"));
    EXPECT_THAT(all, testing::Not(testing::HasSubstr(password.substr(0, 8))));
    const std::string key(vault.keys().current.octets().reveal());
    EXPECT_THAT(all, testing::Not(testing::HasSubstr(key.substr(0, 8))));
  }
  fs::remove_all(folder);
}

TEST(Hardening, Invariant23LeavesNoCoreAndNoMemoryToOthers) {
  forbid_memory_dumps();
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  EXPECT_EQ(limit.rlim_max, 0U);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
#endif
}

}  // namespace
}  // namespace syncline::vault
