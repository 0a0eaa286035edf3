# frozen_string_literal: true

require_relative "../migrator_removal/step"

# Does 01_guard.
#
# The statements, what they lock and until when they can be undone: db/migrator_removal/deploy/01_guard.sql
class MigratorRemove01Guard < ActiveRecord::Migration[ActiveRecord::Migration.current_version]
  include MigratorRemoval::Step

  # The files open their transactions themselves, one for each part.
  disable_ddl_transaction!

  def up
    run_step("01_guard", "deploy")
  end

  def down
    run_step("01_guard", "revert")
  end
end
