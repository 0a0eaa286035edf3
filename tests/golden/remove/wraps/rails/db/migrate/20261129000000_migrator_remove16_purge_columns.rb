# frozen_string_literal: true

require_relative "../migrator_removal/step"

# Does 16_purge_columns.
#
# The statements, what they lock and until when they can be undone: db/migrator_removal/deploy/16_purge_columns.sql
class MigratorRemove16PurgeColumns < ActiveRecord::Migration[ActiveRecord::Migration.current_version]
  include MigratorRemoval::Step

  # The files open their transactions themselves, one for each part.
  disable_ddl_transaction!

  def up
    run_step("16_purge_columns", "deploy")
  end

  def down
    run_step("16_purge_columns", "revert")
  end
end
