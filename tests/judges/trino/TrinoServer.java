import io.trino.plugin.hive.HivePlugin;
import io.trino.testing.DistributedQueryRunner;
import io.trino.testing.TestingSession;

import java.nio.file.Path;
import java.util.Map;

/** A Trino whose Hive tables are the Parquet files below a folder. Arguments: the folder, the port of the loopback address. */
public class TrinoServer
{
    public static void main(String[] arguments)
            throws Exception
    {
        DistributedQueryRunner server = DistributedQueryRunner.builder(
                        TestingSession.testSessionBuilder().setCatalog("hive").setSchema("lake").build())
                .setWorkerCount(0)
                .addCoordinatorProperty("http-server.http.port", arguments[1])
                .build();
        server.installPlugin(new HivePlugin());
        server.createCatalog("hive", "hive", Map.of(
                "hive.metastore", "file",
                "hive.metastore.catalog.dir", "local:///metastore",
                "fs.local.enabled", "true",
                "local.location", Path.of(arguments[0]).toAbsolutePath().toString(),
                "hive.non-managed-table-writes-enabled", "true",
                "hive.parquet.time-zone", "UTC",
                "hive.security", "allow-all"));
        System.out.println("READY");
        Thread.currentThread().join();
    }
}
