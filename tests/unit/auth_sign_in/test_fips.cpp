// SPDX-License-Identifier: GPL-3.0-or-later
// `fips = required` on machines without the module, with something that only bears its name, and with it.
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include <filesystem>

#include "auth/fips.hpp"

namespace syncline::auth {
namespace {

/// OpenSSL's folder of modules is this process' own affair.
class Fips : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "syncline-fips-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    setenv("OPENSSL_MODULES", folder_.c_str(), 1);
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    unsetenv("OPENSSL_MODULES");
  }
  static bool has_digest() {
    EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    EVP_MD_free(digest);
    return digest != nullptr;
  }
  static std::filesystem::path system_modules() {
    const std::string_view text = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    return text;
  }
  std::filesystem::path folder_;
};

TEST_F(Fips, WithoutTheModuleNothingStartsAndNothingIsChanged) {
  const auto refused = require_fips_provider();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "fips-not-available");
  EXPECT_EQ(refused.error().domain, ErrorDomain::local);
  EXPECT_NE(refused.error().message.find("fipsinstall"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(has_digest());
  EXPECT_EQ(EVP_default_properties_is_fips_enabled(nullptr), 0);
}

TEST_F(Fips, AModuleThatOnlyBearsTheNameIsFoundOut) {
  const auto other = system_modules() / "legacy.so";
  if (!std::filesystem::exists(other)) GTEST_SKIP() << other << " is not there to pose as the module";
  std::filesystem::copy_file(other, folder_ / "fips.so");
  const auto refused = require_fips_provider();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "fips-not-available");
  EXPECT_TRUE(has_digest());
  EXPECT_EQ(EVP_default_properties_is_fips_enabled(nullptr), 0);
}

TEST_F(Fips, WithTheModuleOnlyApprovedAlgorithmsAreLeft) {
  if (!std::filesystem::exists(system_modules() / "fips.so"))
    GTEST_SKIP() << "OpenSSL's FIPS module is not installed here";
  unsetenv("OPENSSL_MODULES");
  ASSERT_TRUE(require_fips_provider());
  EXPECT_TRUE(has_digest());
  EVP_MD* weak = EVP_MD_fetch(nullptr, "MD5", nullptr);
  EXPECT_EQ(weak, nullptr);
  EVP_MD_free(weak);
  EVP_default_properties_enable_fips(nullptr, 0);
}

}  // namespace
}  // namespace syncline::auth
